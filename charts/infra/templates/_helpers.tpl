{{- define "infra.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 57 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 57 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 57 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "infra.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "infra.labels" -}}
{{ include "infra.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "infra.serviceAccountName" -}}
{{- default (include "infra.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "infra.keySecret" -}}
{{- default (include "infra.fullname" .) .Values.connector.config.existingSecret -}}
{{- end -}}

{{- define "infra.stateSecret" -}}
{{- printf "%s-state" (include "infra.fullname" .) -}}
{{- end -}}

{{/*
The name of what belongs to no namespace. It is made of the destination alone, so that Helm refuses a second release
for the same destination in one cluster: the two connectors would undo each other's work.
*/}}
{{- define "infra.clusterName" -}}
{{- printf "infra-connector-%s" .Values.connector.config.name | trimSuffix "-" -}}
{{- end -}}

{{- define "infra.serverURL" -}}
{{- $server := .Values.connector.config.server -}}
{{- if contains "://" $server -}}{{- $server -}}{{- else -}}{{- printf "https://%s" $server -}}{{- end -}}
{{- end -}}

{{/* Says what is missing or wrong, in words that say what to do. The access key is never repeated. */}}
{{- define "infra.check" -}}
{{- $c := .Values.connector.config -}}
{{- if not $c.name -}}
{{- fail "connector.config.name is missing: the name of this cluster, as grants spell it (--set connector.config.name=example)" -}}
{{- end -}}
{{- if or (gt (len $c.name) 63) (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $c.name)) -}}
{{- fail (printf "connector.config.name %q is not a DNS label: at most 63 of a-z, 0-9 and -, with a letter or digit at both ends" $c.name) -}}
{{- end -}}
{{- if eq $c.name "infra" -}}
{{- fail "connector.config.name cannot be \"infra\": grants on infra are about the infra server itself; choose another name" -}}
{{- end -}}
{{- if not $c.server -}}
{{- fail "connector.config.server is missing: the address of the infra server (--set connector.config.server=infra.example.com)" -}}
{{- end -}}
{{- if not (regexMatch "^(https://)?[^/?#@\\s:]+(:[0-9]+)?/?$|^(https://)?\\[[0-9a-fA-F:.]+\\](:[0-9]+)?/?$" $c.server) -}}
{{- fail (printf "connector.config.server %q is not a host name, host:port or https:// URL" $c.server) -}}
{{- end -}}
{{- if and (not $c.accessKey) (not $c.existingSecret) -}}
{{- fail "connector.config.accessKey is missing: make one with `infra keys add NAME connector` (--set connector.config.accessKey=infra1_...), or name a Secret that has it with connector.config.existingSecret" -}}
{{- end -}}
{{- if and $c.accessKey $c.existingSecret -}}
{{- fail "connector.config.accessKey and connector.config.existingSecret are both set: keep one" -}}
{{- end -}}
{{- end -}}
