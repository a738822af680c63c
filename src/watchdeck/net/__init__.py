"""HTTP client and server: connections, TLS, DNS, URLs, and a named failure for every error."""
