{{/* The name of what belongs to the servers: "sandbox" and "sandbox-api" are both sandbox-api. */}}
{{- define "sandbox-api.name" -}}
{{ trimSuffix "-api" .Release.Name }}-api
{{- end }}

{{- define "sandbox-api.selector" -}}
app.kubernetes.io/name: sandbox-api
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: api
{{- end }}

{{/* Of every object but those that are found by the selector. */}}
{{- define "sandbox-api.labels" -}}
app.kubernetes.io/name: sandbox-api
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "sandbox-api.account" -}}
{{ .Values.serviceAccount.name | default (include "sandbox-api.name" .) }}
{{- end }}

{{- define "sandbox-api.sandboxes" -}}
{{ .Values.sandbox.namespace | default (printf "%s-sandboxes" .Release.Namespace) }}
{{- end }}

{{/* The PriorityClass of sandboxes; empty for none. Such classes have no namespace. */}}
{{- define "sandbox-api.priorityClass" -}}
{{- with .Values.sandbox.priorityClass -}}
{{- if .name -}}
{{ .name }}
{{- else if .create -}}
{{ $.Release.Namespace }}-{{ include "sandbox-api.name" $ }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "sandbox-api.keys" -}}
{{ .Values.apiKeys.existingSecret | default (printf "%s-keys" (include "sandbox-api.name" .)) }}
{{- end }}

{{- define "sandbox-api.callbackSecret" -}}
{{ .Values.callbacks.existingSecret | default (printf "%s-callbacks" (include "sandbox-api.name" .)) }}
{{- end }}

{{- define "sandbox-api.image" -}}
{{- with .Values.images -}}
{{ .api | default (printf "%s%s:%s" (empty .registry | ternary "" (printf "%s/" .registry)) "sandbox/api" .tag) }}
{{- end -}}
{{- end }}

{{- define "sandbox-api.clusterIssuer" -}}
{{- with .Values.clusterIssuer -}}
{{ .name | default (printf "%s-letsencrypt-%s" (include "sandbox-api.name" $) .environment) }}
{{- end -}}
{{- end }}

{{/* A value as the text of a variable; JSON writes whole numbers as they are, where quote writes 2.6e+08. */}}
{{- define "sandbox-api.text" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ . | toJson | quote }}{{ end -}}
{{- end }}

{{/* Of all containers: what Pod Security Admission calls restricted, and a root that can't be written. */}}
{{- define "sandbox-api.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "sandbox-api.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}
