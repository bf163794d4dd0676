package review

import "strings"

// renderGitLab writes a code quality report, which GitLab shows beside the lines
// of a merge request: "Code Quality report format" in GitLab's documentation.
func renderGitLab(r Review, o Options) []byte {
	found := r.findings()
	report := make([]gitlabIssue, len(found))
	for i, f := range found {
		text := f.text
		if f.hint != "" {
			text = strings.TrimSuffix(text, ".") + ". What to do: " + f.hint
		}
		report[i] = gitlabIssue{Description: text, CheckName: f.rule, Fingerprint: f.id, Severity: gitlabSeverity(f)}
		report[i].Location.Path = o.at(f.file)
		report[i].Location.Lines.Begin = f.line
	}
	return marshal(report)
}

type gitlabIssue struct {
	Description string `json:"description"`
	CheckName   string `json:"check_name"`
	Fingerprint string `json:"fingerprint"`
	Severity    string `json:"severity"`
	Location    struct {
		Path  string `json:"path"`
		Lines struct {
			Begin int `json:"begin"`
		} `json:"lines"`
	} `json:"location"`
}

// gitlabSeverity is one of info, minor, major, critical and blocker.
func gitlabSeverity(f finding) string {
	switch f.level {
	case failure:
		return "blocker"
	case warning:
		return "critical"
	}
	if f.rule == classRules[runsCommands] || f.rule == classRules[readsSecrets] {
		return "minor"
	}
	return "info"
}
