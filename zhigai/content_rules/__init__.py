"""The rules that content is checked by, one idea a module. `zhigai.content_check` runs them all."""
