# A policy to start from: buckets[].authz.opa.path: /v1/data/mizuchi/allow
#
#   opa run --server --addr 127.0.0.1:8181 examples/opa
#   opa test examples/opa
#
# Who may do what stands in data.json beside it; this file says how it is read. The gateway has checked the
# signature or token already, and shows the reason to operators only: it must be a short, fixed text.
package mizuchi

# METADATA
# description: What the gateway asks for. One answer for every question, so that nothing is undefined.
# entrypoint: true
allow := {"allow": count(refusals) == 0, "reason": reason}

default reason := "granted"

# The first in the alphabet, when there are several.
reason := min(refusals) if count(refusals) > 0

# Uploading, and what belongs to it: an upload that was begun can be listed, completed and aborted.
uploading := {
	"s3:PutObject",
	"s3:AbortMultipartUpload",
	"s3:ListMultipartUploadParts",
	"s3:ListBucketMultipartUploads",
	"s3:ListBucket",
	"s3:GetBucketLocation",
	"s3:GetObject",
}

is_uploading if input.action in uploading

refusals contains "action not granted" if not is_uploading

refusals contains "bucket not granted" if count(grants) == 0

refusals contains "key outside of the grant" if {
	count(grants) > 0
	not within_a_grant
}

# Said of what is granted, not of what is not: a prefix that is undefined then grants nothing.
within_a_grant if input.resource.key == null

within_a_grant if {
	some grant in grants
	startswith(input.resource.key, prefix_of(grant))
}

refusals contains "too large" if {
	input.resource.size != null
	input.resource.size > data.access.limits[input.resource.bucket]
}

refusals contains "quarantined" if input.principal in data.access.quarantined

# The grants that hold for the caller in this bucket: by principal, or by a group of its token.
grants contains grant if {
	some grant in data.access.grants
	grant.bucket == input.resource.bucket
	grant.to in callers
}

# By principal, which is unique over all ways to authenticate: a token's subject may be spelled like a key's.
callers contains input.principal

callers contains sprintf("group:%s", [group]) if some group in input.groups

# {subject} in a prefix stands for the caller, who cannot leave that folder: a subject with a slash has none.
prefix_of(grant) := grant.prefix if not contains(grant.prefix, "{subject}")

prefix_of(grant) := replace(grant.prefix, "{subject}", input.subject) if {
	contains(grant.prefix, "{subject}")
	regex.match(`^[^/]+$`, input.subject)
}
