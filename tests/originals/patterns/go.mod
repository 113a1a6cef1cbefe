module edgekeeper/tests/originals/patterns

go 1.24

require (
	github.com/dlclark/regexp2 v1.2.0
	github.com/gobwas/glob v0.2.3
	github.com/tidwall/gjson v1.18.0
)

require (
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
)
