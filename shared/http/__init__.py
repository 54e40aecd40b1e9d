"""HTTP as the platform speaks it: the server, the bridge to Flask, upstreams, and what every service's app has in common."""
