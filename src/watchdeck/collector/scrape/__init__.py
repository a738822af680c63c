"""The scrape loop: when each endpoint is scraped, and what one scrape does."""
