"""The all-in-one: every service mounted in one process behind the gateway, with the portal and the model runner."""
