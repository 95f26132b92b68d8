# syntax=docker/dockerfile:1
# The image of a vapora worker; with other arguments it is the whole command line (`docker run vapora db migrate`).
# What happens in the build stage is in scripts/docker-build-steps.sh, which also runs without Docker.
ARG NODE_VERSION=22

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /src
# First what decides about the dependencies, so that a change of the sources does not install them again.
COPY package.json package-lock.json .npmrc ./
COPY scripts/docker-build-steps.sh scripts/
RUN sh scripts/docker-build-steps.sh install
COPY . .
RUN sh scripts/docker-build-steps.sh build && sh scripts/docker-build-steps.sh assemble /app

FROM node:${NODE_VERSION}-bookworm-slim
# Temporal's client trusts the certificates of the system.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app ./
# Workspaces of agents, and nothing else, are written here.
RUN mkdir .vapora && chown node:node .vapora
USER node
ENTRYPOINT ["node", "/app/bin/vapora.js"]
CMD ["worker"]
