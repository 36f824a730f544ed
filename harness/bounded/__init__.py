"""Templates, patterns and schemas of strangers, evaluated in bounded time and memory."""
