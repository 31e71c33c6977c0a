/** A Dockerfile for the Node engine. */
import type { Job } from './job';

export const dockerfileTemplate = ({ packages: [first = 'voxlane'], image }: Pick<Job, 'packages' | 'image'>): string => `# Image of Voxlane for the command line and for job schedulers.
#
#   docker build --tag ${image} .
#   docker run --rm --volume "$PWD:/data" --user "$(id -u):$(id -g)" ${image} voxlane diarize /data/meeting.wav
#
# Packed packages (voxlane-*.tgz, voxlane-assets-*.tgz) beside this file are installed instead of the version on npm.
FROM node:22-slim AS install
ARG PACKAGE=${first}
WORKDIR /opt/voxlane
# This file is named too, because COPY needs at least one file.
COPY Dockerfile *.tgz /packages/
RUN set -- /packages/*.tgz; \\
  if [ ! -e "$1" ]; then set -- "$PACKAGE"; fi; \\
  npm install --omit=dev --no-audit --no-fund --no-package-lock "$@"

FROM node:22-slim
# tini passes signals on and collects ended processes; a first process gets no default actions of signals.
# ffmpeg is not installed. It is needed only for formats that the optional decoder of the package cannot read.
# hadolint ignore=DL3008
RUN apt-get update \\
  && apt-get install --yes --no-install-recommends tini \\
  && rm -rf /var/lib/apt/lists/*
COPY --from=install /opt/voxlane /opt/voxlane
ENV PATH=/opt/voxlane/node_modules/.bin:$PATH NODE_ENV=production
# The user "node" of the base image, as a number, so that Kubernetes can check that it is not root.
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["tini", "--"]
CMD ["voxlane", "--help"]
`;
