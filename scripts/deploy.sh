#!/usr/bin/env bash
# Upgrades the service on a cluster, tries it with one run, and goes back to what was there before when that fails:
#   scripts/deploy.sh [--namespace N] [--images FILE] [HELM_OPTION...]
#
#   --namespace N   the release's, sandbox unless given; that of the sandboxes is N-sandboxes
#   --images FILE   what scripts/build-images.sh --push printed: the images, which are deployed by their digests
#   HELM_OPTION     of helm upgrade, such as --values FILE or --timeout 5m
#
# Needs Helm, and KUBECONFIG with the rights of k8s/rbac-ci.yml, which has made the namespaces and the PriorityClass.
set -euo pipefail

RELEASE=sandbox
CHART=$(dirname "$0")/../helm/sandbox-api
# Of a new server to be ready, with the time that its node takes to fetch an image.
READY=10m
# Of the run that tries it, whose Pod has at most four minutes.
TEST=5m

say() { printf 'deploy: %s\n' "$*" >&2; }

refuse() {
  say "$*"
  exit 2
}

# The options by which the chart is told whole names: the tag gives way to the digest.
add_images() {
  local image digest name
  while read -r image digest || [[ -n $image ]]; do
    [[ $image =~ ^[a-z0-9][A-Za-z0-9./:_-]*:[A-Za-z0-9_.-]+$ && $digest =~ ^sha256:[0-9a-f]{64}$ ]] ||
      refuse "$1 has a line that is not an image with a digest: $image $digest"
    name=${image##*/}
    name=${name%:*}
    if [[ $name == api ]]; then name=api; else name=languages.$name; fi
    options+=(--set-string "images.$name=${image%:*}@$digest")
  done <"$1"
  ((${#options[@]})) || refuse "$1 names no image"
}

# The revision that serves; nothing when there is none.
serving() { helm history "$RELEASE" --namespace "$namespace" 2>/dev/null | awk -F '\t' '$3 ~ /^deployed/ { print $1 + 0 }'; }

namespace=sandbox images='' others=() options=()
while (($#)); do
  case $1 in
    --namespace | --images)
      [[ -n ${2-} ]] || refuse "$1 needs a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    -h | --help)
      sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p;}' "$0"
      exit
      ;;
    *) others+=("$1") ;;
  esac
  shift
done
[[ -z $images ]] || add_images "$images"

before=$(serving) || :
# --atomic is what Helm 4 also calls --rollback-on-failure.
helm upgrade "$RELEASE" "$CHART" --install --namespace "$namespace" --atomic --timeout "$READY" \
  --set sandbox.createNamespace=false --set sandbox.priorityClass.create=false \
  --set "sandbox.priorityClass.name=$namespace-sandbox-api" "${options[@]}" "${others[@]}"

if helm test "$RELEASE" --namespace "$namespace" --timeout "$TEST"; then exit; fi
if [[ -z $before ]]; then
  say "the service is there but does not run programs, and nothing was there before to go back to."
else
  say "the service does not run programs: going back to revision $before."
  helm rollback "$RELEASE" "$before" --namespace "$namespace" --wait --timeout "$READY"
fi
exit 1
