package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"

	"edged/internal/page"
	"edged/internal/zones"
	"edged/mqtt"
)

// mostZones bounds a request's body: MaxZones of MaxCorners fit.
const mostZones = 1 << 20

// putZones gives a camera other zones as zones/set does: {"zones": [...]}, null for
// the config's. Where "was" says what the page had shown and others hold by now,
// nothing is changed.
func (d *Daemon) putZones(guard page.Guard) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := guard.MayChange(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		u, err := d.unit(r.PathValue("camera"))
		if err != nil {
			http.Error(w, "no such camera", http.StatusNotFound)
			return
		}
		var body struct {
			Zones []mqtt.Zone   `json:"zones"`
			Was   *[]zones.Zone `json:"was"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostZones)).Decode(&body); err != nil {
			http.Error(w, fmt.Sprintf("it is no list of zones: %v", err), http.StatusBadRequest)
			return
		}
		if body.Was != nil && !sameZones(*body.Was, u.zones.Set().List()) {
			http.Error(w, "somebody else has set zones meanwhile: close this and look at them first", http.StatusConflict)
			return
		}
		if err := u.setZones(body.Zones, byPage); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		u.publishZones()
		w.Header().Set("Content-Type", "application/json")
		// The viewer is gone when this fails; there is nobody to tell.
		_ = json.NewEncoder(w).Encode(map[string]any{"zones": listOf(u.zones.Set())})
	}
}
