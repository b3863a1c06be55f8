# A server of shells in a container of its own:
#   docker run -p 127.0.0.1:7681:7681 -v home:/home/user reconnectingpty
# with any flags of `reconnectingpty serve` behind it, such as --token-file, which keeps the token out of the log;
# and with nothing written but there and in memory:
#   docker run --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges \
#       -p 127.0.0.1:7681:7681 -v home:/home/user reconnectingpty
ARG BASE=debian:13-slim

# The program with all that it needs, where it will be, made by tools that are not needed there.
FROM ${BASE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3-venv \
 && python3 -m venv /tools \
 && /tools/bin/pip install --no-cache-dir build \
 && python3 -m venv --without-pip /opt/reconnectingpty
COPY requirements/run.txt /source/requirements/run.txt
RUN /tools/bin/pip --python /opt/reconnectingpty/bin/python install --no-cache-dir --require-hashes \
        -r /source/requirements/run.txt
COPY . /source
RUN /tools/bin/python -m build --wheel --outdir /wheels /source \
 && /tools/bin/pip --python /opt/reconnectingpty/bin/python install --no-cache-dir --no-deps /wheels/*.whl

FROM ${BASE}
# screen: the other backend; tini: reaps what shells leave behind, and passes signals on.
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 screen tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
 && useradd --uid 10001 --user-group --create-home --shell /bin/bash user \
 && ln -s /opt/reconnectingpty/bin/reconnectingpty /opt/reconnectingpty/bin/pyautossh /usr/local/bin/
COPY --from=build /opt/reconnectingpty /opt/reconnectingpty
ENV LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp/runtime RECONNECTINGPTY_LISTEN=0.0.0.0:7681
# A number, so that Kubernetes knows that it is not root.
USER 10001:10001
WORKDIR /home/user
EXPOSE 7681
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["reconnectingpty", "health"]
# The image's arguments are the server's; where it listens is said above, so that it listens there whatever they are.
ENTRYPOINT ["tini", "--", "reconnectingpty", "serve"]
