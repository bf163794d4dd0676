package review

// What tests look at beside what is exported.
var (
	Touched        = touched
	SamePolicy     = samePolicy
	GitHubData     = githubData
	GitHubProperty = githubProperty
)
