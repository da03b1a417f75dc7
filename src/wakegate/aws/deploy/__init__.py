"""From a Dockerfile or an image to a URL: image -> bundle -> template -> stack; no part of what the functions run."""
