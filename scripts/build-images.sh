#!/usr/bin/env bash
# Builds the container images:
#   scripts/build-images.sh [--push] [--registry R] [--tag T] [--output DIR] [--cache] [--no-cache] [NAME...]
#
#   NAME            a language, a folder of docker/, or api, the service itself; all when none is named
#   --registry R    puts R/ in front of the images' names
#   --tag T         latest unless given
#   --push          pushes them to the registry
#   --output DIR    writes each as a docker archive, DIR/NAME.tar, for clusters without a registry
#   --cache         takes layers from the images that the registry has under these names; needs docker with BuildKit
#   --no-cache      builds them anew, with today's packages; else only what has changed here
#
# BASE_IMAGE=debian@sha256:... in the environment pins the image that all are based on; debian:trixie-slim, as of the day
# of the build, unless given.
#
# Works with docker, podman or buildah, whichever is usable. Prints each image's name and id, or digest when pushed.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")/.."

LOGS=.cache/images
# Building from nothing over a slow line takes minutes; what takes longer than this hangs.
BUILD_SECONDS=1800
MAX_JOBS=4
BASE_IMAGE=${BASE_IMAGE:-debian:trixie-slim}
INPUTS_LABEL=sandbox.inputs

say() { printf 'build-images: %s\n' "$*" >&2; }

refuse() {
  say "$*"
  exit 2
}

docker_usable() { timeout 20 docker info >/dev/null 2>&1; }
podman_usable() { timeout 20 podman info >/dev/null 2>&1; }
buildah_usable() { timeout 20 buildah info >/dev/null 2>&1; }

find_engine() {
  for engine in docker podman buildah; do
    if command -v "$engine" >/dev/null && "${engine}_usable"; then return; fi
  done
  say "docker, podman or buildah is needed, and none is usable here."
  exit 1
}

known_names() {
  for path in docker/*/language.yaml api/Dockerfile; do
    path=${path%/*}
    [[ ! -e $path/Dockerfile ]] || echo "${path#docker/}"
  done
}

folder_of() { if [[ $1 == api ]]; then echo api; else echo "docker/$1"; fi; }

# The name under which clusters look for an image.
image_of() {
  local image=sandbox/api
  [[ $1 == api ]] || image=$(sed -n 's/^image: *//p' "docker/$1/language.yaml")
  [[ -z $registry ]] || image=$registry/$image
  echo "$image:$tag"
}

# bounded ENGINE COMMAND...: within its time. buildah reads BUILDAH_ISOLATION, but STORAGE_DRIVER not everywhere.
bounded() {
  local program=$1 command=$2 options=()
  shift 2
  [[ $program != buildah || -z ${STORAGE_DRIVER-} ]] || options=(--storage-driver "$STORAGE_DRIVER")
  timeout --foreground --kill-after=30 "$BUILD_SECONDS" "$program" "$command" "${options[@]}" "$@"
}

# A hash of all that a build reads: the Dockerfile, what it copies, the base image, the version.
inputs_of() {
  local dockerfile sources
  dockerfile=$(folder_of "$1")/Dockerfile
  mapfile -t sources < <(sed -n '/ --from=/d;s/^COPY \(.*\) [^ ]*$/\1/p' "$dockerfile" | tr ' ' '\n' | sort -u)
  {
    echo "$version $(id_of "$BASE_IMAGE")"
    tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner "$dockerfile" .dockerignore "${sources[@]}"
  } | sha256sum | cut -d ' ' -f 1
}

# Layers are cached by the engine; but one without copy-on-write takes a minute to find that it has them all.
build() {
  local inputs options=()
  inputs=$(inputs_of "$1")
  if [[ -n $no_cache ]]; then
    options+=(--no-cache)
  elif [[ $(label_of "$2") == "$inputs" ]]; then
    echo "$2 is as built before, inputs $inputs"
    return
  fi
  [[ $engine == docker ]] || options+=(--layers)
  # BuildKit writes into the image which steps made its layers, for the next build.
  [[ -z $cache ]] || options+=(--cache-from "$2" --build-arg BUILDKIT_INLINE_CACHE=1)
  [[ -z ${NODE_EXTRA_CA_CERTS-} ]] || options+=(--secret "id=certificates,src=$NODE_EXTRA_CA_CERTS")
  bounded "$engine" build "${options[@]}" --build-arg "VERSION=$version" --build-arg "BASE_IMAGE=$BASE_IMAGE" \
    --label "$INPUTS_LABEL=$inputs" \
    -f "$(folder_of "$1")/Dockerfile" -t "$2" .
}

label_of() {
  if [[ $engine == buildah ]]; then
    bounded buildah inspect --type image --format "{{index .OCIv1.Config.Labels \"$INPUTS_LABEL\"}}" "$1"
  else
    bounded "$engine" image inspect --format "{{index .Config.Labels \"$INPUTS_LABEL\"}}" "$1"
  fi || :
}

id_of() {
  if [[ $engine == buildah ]]; then
    bounded buildah inspect --type image --format 'sha256:{{.FromImageID}}' "$1"
  else
    bounded "$engine" image inspect --format '{{.Id}}' "$1" | sed 's/^\(sha256:\)\?/sha256:/'
  fi
}

# Writes the digest, by which a cluster can name exactly this image, to the file.
push() {
  if [[ $engine == docker ]]; then
    bounded docker push "$1"
    bounded docker image inspect --format '{{join .RepoDigests "\n"}}' "$1" | sed -n "s|^${1%:*}@||p" >"$2"
  else
    bounded "$engine" push --digestfile "$2" "$1"
  fi
}

# The name is said again: podman and buildah know an image without a registry as localhost's, where no cluster looks for it.
archive() {
  if [[ $engine == docker ]]; then
    bounded docker save -o "$2" "$1"
  else
    bounded "$engine" push "$1" "docker-archive:$2:$1"
  fi
}

make_one() {
  local name=$1 image digest
  image=$(image_of "$name")
  build "$name" "$image" || return
  digest=$(id_of "$image") || return
  if [[ -n $push ]]; then
    push "$image" "$LOGS/$name.digest" || return
    digest=$(<"$LOGS/$name.digest")
  fi
  if [[ -n $output ]]; then
    rm -f "$output/$name.tar.part"
    archive "$image" "$output/$name.tar.part" || return
    mv -f "$output/$name.tar.part" "$output/$name.tar"
  fi
  # Past the log, to the caller.
  echo "$image $digest" >&3
}

# In the background, in a process group of its own; its output goes to a file, whose end is shown when it fails.
start() {
  say "building $1"
  {
    make_one "$1" >"$LOGS/$1.log" 2>&1 </dev/null || {
      tail -n 20 "$LOGS/$1.log" >&2
      say "$1 failed, see $LOGS/$1.log"
      exit 1
    }
  } &
}

# Waits for one of those started, or all of them.
await() { wait "$@" || failed=yes; }

stop() {
  for process in $(jobs -p); do kill -- "-$process" 2>/dev/null; done
  exit 1
}

# The one with the most stages, so that the others find those that they share already built.
first_of() {
  for name in "$@"; do echo "$(grep -c '^FROM' "$(folder_of "$name")/Dockerfile") $name"; done |
    sort -k 1,1nr -s | sed -n '1s/.* //p'
}

usage() { sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p;}' "$0"; }

push='' registry='' tag=latest output='' cache='' no_cache=''
names=()
while (($#)); do
  case $1 in
    --push) push=yes ;;
    --cache) cache=yes ;;
    --no-cache) no_cache=yes ;;
    --registry | --tag | --output)
      [[ -n ${2-} ]] || refuse "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    -h | --help)
      usage
      exit
      ;;
    -*) refuse "unknown option $1 (see --help)" ;;
    *) names+=("$1") ;;
  esac
  shift
done
registry=${registry%/}
[[ -z $output || $output == /* ]] || output=$caller/$output
[[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || refuse "$tag is not a tag"
[[ -z $push || -n $registry ]] || refuse "--push needs --registry"
[[ -z $cache || -n $registry ]] || refuse "--cache needs --registry"
mapfile -t known < <(known_names)
for name in "${names[@]}"; do
  [[ " ${known[*]} " == *" $name "* ]] || refuse "unknown language $name; known are: ${known[*]}"
done
((${#names[@]})) || names=("${known[@]}")

find_engine
[[ -z $cache || $engine == docker ]] || refuse "--cache needs docker: $engine takes layers from images that it has"
mkdir -p "$LOGS" ${output:+"$output"}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
jobs=$(nproc)
((jobs <= MAX_JOBS)) || jobs=$MAX_JOBS

exec 3>&1
set -m
trap stop INT TERM HUP
failed=''
first=$(first_of "${names[@]}")
start "$first"
await $!
running=0
for name in "${names[@]}"; do
  [[ $name != "$first" ]] || continue
  if ((running == jobs)); then
    await -n
    running=$((running - 1))
  fi
  start "$name"
  running=$((running + 1))
done
while ((running > 0)); do
  await -n
  running=$((running - 1))
done
[[ -z $failed ]]
