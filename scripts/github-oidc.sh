#!/usr/bin/env bash
# Lets a workflow of GitHub reach a cluster that trusts GitHub's tokens, so that GitHub keeps no key of the cluster:
#   scripts/github-oidc.sh kubeconfig SERVER AUTHORITY   prints a kubeconfig of the API server at the address SERVER, whose
#                                                        certificate is of the authority in the file AUTHORITY
#   scripts/github-oidc.sh token AUDIENCE                prints a token of the workflow, as kubectl and Helm ask for it
#
# The kubeconfig holds no secret: whoever uses it calls this script for a token, and again when that is old. The tokens'
# audience is SERVER. Jobs with the permission id-token: write are told where GitHub gives them out, in
# ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN.
set -euo pipefail

# GitHub's tokens are good for five minutes at least: https://docs.github.com/actions/reference/openid-connect-reference
FRESH='2 minutes'
# What an address of an API server is made of. It is written into YAML and into an address as it is.
SERVER_PATTERN='^https://[][A-Za-z0-9.:_/-]+$'

refuse() {
  printf 'github-oidc: %s\n' "$*" >&2
  exit 2
}

kubeconfig() {
  local server=$1 authority=$2 script
  [[ $server =~ $SERVER_PATTERN ]] || refuse "$server is not an address such as https://kubernetes.example.org:6443"
  grep -q -e '-----BEGIN CERTIFICATE-----' "$authority" || refuse "$authority has no certificate of an authority"
  script=$(realpath "${BASH_SOURCE[0]}")
  cat <<END
apiVersion: v1
kind: Config
clusters:
  - name: cluster
    cluster:
      server: "$server"
      certificate-authority-data: $(base64 -w 0 <"$authority")
contexts:
  - name: workflow
    context: { cluster: cluster, user: workflow }
current-context: workflow
users:
  - name: workflow
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: "$script"
        args: [token, "$server"]
        interactiveMode: Never
END
}

token() {
  local url=${ACTIONS_ID_TOKEN_REQUEST_URL-} bearer=${ACTIONS_ID_TOKEN_REQUEST_TOKEN-} answer value expires
  [[ -n $url && -n $bearer ]] || refuse "GitHub gives no tokens here: the job needs the permission id-token: write"
  # Its time begins before it is asked for. The header goes by another way than the words, which every process may read.
  expires=$(date -u -d "+$FRESH" +%FT%TZ)
  answer=$(curl --silent --show-error --fail --max-time 20 --retry 3 --retry-max-time 60 --header @- --get \
    --data-urlencode "audience=$1" "$url" <<<"Authorization: Bearer $bearer")
  value=$(sed -n 's/.*"value" *: *"\([A-Za-z0-9._=-]*\)".*/\1/p' <<<"$answer")
  [[ -n $value ]] || refuse "GitHub's answer has no token"
  printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",%s}\n' \
    "\"status\":{\"token\":\"$value\",\"expirationTimestamp\":\"$expires\"}"
}

case ${1-} in
  kubeconfig) (($# == 3)) || refuse "kubeconfig needs SERVER and AUTHORITY" ;;
  token) (($# == 2)) || refuse "token needs AUDIENCE" ;;
  -h | --help)
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p;}' "$0"
    exit
    ;;
  *) refuse "kubeconfig or token is wanted (see --help)" ;;
esac
"$@"
