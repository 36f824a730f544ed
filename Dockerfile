# The gate without CUDA: docker build --tag forgetting-gate .
# With CUDA: docker build --build-arg TORCH_INDEX=https://pypi.org/simple --tag forgetting-gate .
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY harness harness
COPY suites suites
COPY fixtures fixtures
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -m venv /gate \
    && /gate/bin/python -m pip install --no-cache-dir --constraint constraints.txt \
        --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple torch \
    && /gate/bin/python -m pip install --no-cache-dir --constraint constraints.txt '.[parallel]'

FROM python:3.11-slim
COPY --from=build /gate /gate
RUN useradd --create-home --uid 1000 gate && mkdir /project && chown gate:gate /project
ENV PATH=/gate/bin:$PATH
USER 1000
WORKDIR /project
CMD ["forgetting-gate", "--help"]
