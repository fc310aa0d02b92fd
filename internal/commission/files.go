package commission

import "embed"

//go:embed commission.html commission.js commission.css
var files embed.FS
