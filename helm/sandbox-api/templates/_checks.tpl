{{/* Values that are right each by itself, and wrong together. */}}
{{- define "sandbox-api.check" -}}
{{- with .Values }}
{{- if and .ingress.enabled (not .ingress.host) }}
{{- fail "ingress.host is wanted where ingress.enabled is true: the name that clients use, such as sandbox.example.org" }}
{{- end }}
{{- if and .httpRoute.enabled (not .httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs is wanted where httpRoute.enabled is true: the Gateways, such as [{name: public, namespace: gateways}]" }}
{{- end }}
{{- if and .clusterIssuer.enabled (not .clusterIssuer.email) }}
{{- fail "clusterIssuer.email is wanted where clusterIssuer.enabled is true: Let's Encrypt sends its warnings there" }}
{{- end }}
{{- if and .apiKeys.anonymous .apiKeys.existingSecret }}
{{- fail "apiKeys.existingSecret and apiKeys.anonymous contradict each other: keys, or none" }}
{{- end }}
{{- if and .warmPool .settings.QUEUE_NAME }}
{{- fail "warmPool and settings.QUEUE_NAME contradict each other: Kueue would count what waits" }}
{{- end }}
{{- if and (not .serviceAccount.create) (not .serviceAccount.name) }}
{{- fail "serviceAccount.name is wanted where serviceAccount.create is false: the account that is there already" }}
{{- end }}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas (%v) is more than autoscaling.maxReplicas (%v)" .autoscaling.minReplicas .autoscaling.maxReplicas) }}
{{- end }}
{{- if and .sandbox.createNamespace (eq (include "sandbox-api.sandboxes" $) $.Release.Namespace) }}
{{- fail (printf "sandbox.namespace is %q, which is the release's own: name another one, or set sandbox.createNamespace to false and lose what keeps sandboxes apart" $.Release.Namespace) }}
{{- end }}
{{- range $name, $_ := .sandbox.jobTemplates }}
{{- if kindIs "map" $_ }}
{{- fail (printf "sandbox.jobTemplates.%s is a map; the text of a file is wanted. On the command line: --set-file 'sandbox.jobTemplates.job\\.yaml=my-job.yaml'" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.apiKeys.existingSecret }}
{{- $found := lookup "v1" "Secret" $.Release.Namespace . }}
{{- if and $found (not (get ($found.data | default dict) "api-keys")) }}
{{- fail (printf "apiKeys.existingSecret: the Secret %s in namespace %s has no entry api-keys; one with name:secret lines is wanted" . $.Release.Namespace) }}
{{- end }}
{{- if and $found $.Values.metrics.serviceMonitor.enabled (not (get ($found.data | default dict) "key")) }}
{{- fail (printf "metrics.serviceMonitor: the Secret %s in namespace %s has no entry key; the secret of one of its keys is wanted, for Prometheus" . $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}
