"""The web pages, in Chinese and English.

The portal owns no data and no rule: it calls only the public API through the gateway, like any client, and turns the
answers into pages that work without JavaScript and better with it. Every word stands in `translations/`.
"""
