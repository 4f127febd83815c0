package mizuchi_test

import data.mizuchi

robot := {"subject": "ci-robot", "principal": "ci-robot", "groups": [], "claims": {}}

anne := {
	"subject": "anne",
	"principal": "jwt:https://id.example.org#anne",
	"groups": ["staff"],
	"claims": {},
}

mallory := object.union(anne, {"subject": "mallory", "principal": "jwt:https://id.example.org#mallory"})

put(who, key) := object.union(who, {
	"action": "s3:PutObject",
	"resource": {"bucket": "uploads", "key": key, "size": 5, "content_type": "text/plain"},
	"context": {"method": "PUT", "operation": "PutObject", "authentication": "jwt", "ip": "", "request_id": ""},
})

test_robot_writes_builds if {
	mizuchi.allow == {"allow": true, "reason": "granted"} with input as put(robot, "builds/1.tar")
}

test_robot_writes_nothing_else if {
	mizuchi.allow == {"allow": false, "reason": "key outside of the grant"} with input as put(robot, "other/1.tar")
}

test_staff_has_a_folder_each if {
	mizuchi.allow.allow with input as put(anne, "users/anne/a.png")
	not mizuchi.allow.allow with input as put(anne, "users/bob/a.png")
	not mizuchi.allow.allow with input as put(anne, "users/annette/a.png")
	not mizuchi.allow.allow with input as put(anne, "users/")
}

test_a_subject_with_a_slash_has_no_folder if {
	climber := object.union(anne, {"subject": "../bob"})
	not mizuchi.allow.allow with input as put(climber, "users/../bob/a.png")
	not mizuchi.allow.allow with input as put(climber, "users/bob/a.png")
}

test_a_folder_of_nobody_is_nobodys if {
	nobody := object.union(anne, {"subject": ""})
	not mizuchi.allow.allow with input as put(nobody, "users//a.png")
}

test_editors_write_everywhere if {
	editor := object.union(anne, {"groups": ["staff", "editors"]})
	mizuchi.allow.allow with input as put(editor, "anywhere/a.png")
}

test_a_token_that_spells_its_subject_like_a_key_gains_nothing if {
	impostor := object.union(anne, {"subject": "ci-robot", "groups": []})
	mizuchi.allow == {"allow": false, "reason": "bucket not granted"} with input as put(impostor, "builds/1.tar")
}

test_a_group_that_spells_itself_like_a_principal_gains_nothing if {
	impostor := object.union(anne, {"groups": ["ci-robot"]})
	not mizuchi.allow.allow with input as put(impostor, "builds/1.tar")
}

test_other_buckets_are_closed if {
	elsewhere := json.patch(put(robot, "builds/1.tar"), [{"op": "replace", "path": "/resource/bucket", "value": "x"}])
	mizuchi.allow == {"allow": false, "reason": "bucket not granted"} with input as elsewhere
}

test_limits if {
	large := json.patch(put(robot, "builds/1.tar"), [{"op": "replace", "path": "/resource/size", "value": 2000000000}])
	mizuchi.allow == {"allow": false, "reason": "too large"} with input as large
	unknown := json.patch(put(robot, "builds/1.tar"), [{"op": "replace", "path": "/resource/size", "value": null}])
	mizuchi.allow.allow with input as unknown
}

test_quarantine if {
	mizuchi.allow == {"allow": false, "reason": "quarantined"} with input as put(mallory, "users/mallory/x")
}

test_a_bucket_as_a_whole if {
	listing := object.union(put(robot, null), {"action": "s3:ListBucketMultipartUploads"})
	mizuchi.allow.allow with input as listing
}

test_only_what_belongs_to_uploading if {
	other := object.union(put(robot, "builds/1.tar"), {"action": "s3:PutBucketPolicy"})
	mizuchi.allow == {"allow": false, "reason": "action not granted"} with input as other
}

test_nothing_is_undefined if {
	mizuchi.allow == {"allow": false, "reason": "action not granted"} with input as {}
}
