"""One HTTP client and one server: connections, TLS, DNS, URLs, every failure named."""
