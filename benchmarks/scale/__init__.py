"""Asks a server many probes by one client and by several at once, and measures whether its queue stays full."""
