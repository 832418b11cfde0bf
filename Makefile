lock:
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-strip-extras \
		--no-emit-index-url --custom-compile-command "make lock" -q -o requirements.lock
