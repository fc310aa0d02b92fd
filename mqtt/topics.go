package mqtt

import (
	"regexp"
	"slices"
	"strings"
)

// maxSlashes is the largest number of slashes in a topic that the common cloud
// brokers take (AWS IoT Core: seven).
const maxSlashes = 7

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9_-]+$`)
	prefixPattern = regexp.MustCompile(`^[a-z0-9_-]+(/[a-z0-9_-]+)*$`)
)

// reserved are the topic levels below a node that are no camera.
var reserved = []string{"status", "info", "stats", "request", "response"}

// CheckID says why id cannot be a node or a camera: both are topic levels and
// are made of a to z, 0 to 9, _ and - alone.
func CheckID(id string) error {
	switch {
	case len(id) > 64:
		return wrong("id", "id of %d characters: at most 64 are allowed", len(id))
	case !idPattern.MatchString(id):
		return wrong("id", "id %q: use a to z, 0 to 9, _ and - only, at least one character", id)
	case slices.Contains(reserved, id):
		return wrong("id", "id %q is a topic of edged itself: choose another name", id)
	}
	return nil
}

// checkPrefix says why prefix cannot stand before every topic.
func checkPrefix(prefix string) error {
	if !prefixPattern.MatchString(prefix) {
		return wrong("prefix", "prefix %q: use levels of a to z, 0 to 9, _ and -, with / between them", prefix)
	}
	// The longest topic is PREFIX/<node>/<cam>/enabled/state.
	if n := strings.Count(prefix, "/") + 4; n > maxSlashes {
		return wrong("prefix", "prefix %q makes topics of %d slashes: at most %d are allowed, so at most 4 levels in the prefix", prefix, n, maxSlashes)
	}
	return nil
}

// Topics builds the topics of one node.
type Topics struct{ Prefix, Node string }

// OfNode is a topic of the node: status, info or stats.
func (t Topics) OfNode(leaf string) string { return t.Prefix + "/" + t.Node + "/" + leaf }

// The leaves below a camera's topic that hold no JSON object.
const (
	LeafOverlay    = "overlay"     // JPEG for people, retained, at most one a second
	LeafSnapshot   = "snapshot"    // the bare picture that request/snapshot asked for
	LeafZonesSet   = "zones/set"   // a list of Zone
	LeafZonesState = "zones/state" // the same, retained
)

// OfCamera is a topic of one camera: status, result, mask, event, enabled/set,
// enabled/state or one of the leaves above.
func (t Topics) OfCamera(cam, leaf string) string { return t.OfNode(cam) + "/" + leaf }

// Request is where a command is sent, Response where its answer appears.
func (t Topics) Request(cmd string) string { return t.OfNode("request") + "/" + cmd }

// Response is where the answer to a command appears.
func (t Topics) Response(cmd string) string { return t.OfNode("response") + "/" + cmd }

// commandOf is the command of a request topic, empty for other topics.
func (t Topics) commandOf(topic string) string {
	cmd, ok := strings.CutPrefix(topic, t.OfNode("request")+"/")
	if !ok || strings.Contains(cmd, "/") {
		return ""
	}
	return cmd
}

// cameraOf is the camera of a topic with a leaf, empty for other topics.
func (t Topics) cameraOf(topic, leaf string) string {
	rest, ok := strings.CutPrefix(topic, t.Prefix+"/"+t.Node+"/")
	if !ok {
		return ""
	}
	cam, is, _ := strings.Cut(rest, "/")
	if is != leaf {
		return ""
	}
	return cam
}
