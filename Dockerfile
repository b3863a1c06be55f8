# A server of shells in a container of its own: docker run -p 127.0.0.1:7681:7681 reconnectingpty
FROM python:3.13-slim AS build
WORKDIR /source
RUN pip install --no-cache-dir build
COPY . .
RUN python -m build --wheel --outdir /wheels

FROM python:3.13-slim
# screen: the other backend; tini: reaps what shells leave behind, and passes signals on.
RUN apt-get update \
 && apt-get install -y --no-install-recommends screen tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --shell /bin/bash user
COPY requirements/run.txt /tmp/run.txt
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --require-hashes -r /tmp/run.txt \
 && pip install --no-cache-dir --no-deps /wheels/*.whl \
 && rm /tmp/run.txt
USER user
WORKDIR /home/user
EXPOSE 7681
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7681/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "reconnectingpty", "serve"]
CMD ["--listen", "0.0.0.0:7681"]
