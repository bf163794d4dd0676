package review

import (
	"net/url"
	"slices"
	"strings"
)

// renderSARIF writes static analysis results (OASIS SARIF 2.1.0, errata 01), as
// far as GitHub's code scanning reads them: "SARIF support for code scanning" in
// GitHub's documentation says which properties those are.
func renderSARIF(r Review, o Options) []byte {
	found := r.findings()
	if left := len(found) - sarifResults; left > 0 {
		// The last one says how many more there are.
		found = slices.Clone(found[:sarifResults-1])
		found = append(found, finding{level: note, rule: "more", title: "More than is shown here",
			text: "and " + number(left+1, "more finding", "more findings") + "; " + r.command() + " lists all", file: "infra.yaml", line: 1, id: "more"})
	}
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "infra", Version: o.Version, InformationURI: "https://github.com/infrahq/infra", Rules: []sarifRule{},
		}},
		AutomationDetails: sarifAutomation{ID: "infra/review/"},
		ColumnKind:        "unicodeCodePoints",
		Results:           []sarifResult{},
	}
	rules := map[string]int{}
	for _, f := range found {
		i, known := rules[f.rule]
		if !known {
			i = len(run.Tool.Driver.Rules)
			rules[f.rule] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(f))
		}
		run.Results = append(run.Results, sarifResultOf(f, i, o))
	}
	return marshal(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// sarifResults is how many results of a run GitHub shows. It refuses more than
// 25,000.
const sarifResults = 5000

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool              sarifTool       `json:"tool"`
	AutomationDetails sarifAutomation `json:"automationDetails"`
	ColumnKind        string          `json:"columnKind"`
	Results           []sarifResult   `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifRule struct {
	ID                   string       `json:"id"`
	Name                 string       `json:"name"`
	ShortDescription     sarifText    `json:"shortDescription"`
	FullDescription      sarifText    `json:"fullDescription"`
	Help                 sarifText    `json:"help"`
	DefaultConfiguration sarifDefault `json:"defaultConfiguration"`
}

type sarifDefault struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifText         `json:"message"`
	Locations           []sarifLocation   `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

var sarifLevels = map[level]string{failure: "error", warning: "warning", note: "note"}

func sarifResultOf(f finding, rule int, o Options) sarifResult {
	text := f.text
	if f.hint != "" {
		text += "\nWhat to do: " + f.hint
	}
	return sarifResult{
		RuleID: f.rule, RuleIndex: rule, Level: sarifLevels[f.level],
		Message: sarifText{sarifMessage(text)},
		Locations: []sarifLocation{{sarifPhysical{
			ArtifactLocation: sarifArtifact{URI: sarifURI(o.at(f.file)), URIBaseID: "%SRCROOT%"},
			Region:           sarifRegion{f.line, f.col},
		}}},
		// GitHub matches alerts by the first; where it is not given, by the text of the
		// line, which many lines of YAML share.
		PartialFingerprints: map[string]string{"primaryLocationLineHash": f.id + ":1", "infraReview/v1": f.id},
	}
}

// sarifMessage takes from a text what the format would read as a link (section
// 3.11.6) or a placeholder (3.11.5).
func sarifMessage(text string) string {
	return strings.NewReplacer("](", "] (", "{", "{{", "}", "}}").Replace(text)
}

// sarifURI is a relative URI (RFC 3986, section 4.2) for a path.
func sarifURI(path string) string { return (&url.URL{Path: path}).String() }

// sarifRules say what each finding means, whoever it is about.
var sarifRules = map[string]struct{ name, short, help string }{
	"problem": {"Error", "The files of the access repository have an error",
		"A revision with errors is not served: the server keeps the last good one."},
	"warning": {"NewWarning", "The files have a warning that the base does not have",
		"Mend it in this change; a warning of the base would be passed over."},
	"base": {"Base", "The base of this change does not load",
		"Everything is compared with nothing. Mend the base first."},
	"brake": {"Brake", "The change takes access from many people",
		"Where this is meant, acknowledge it in the same change: infra acknowledge."},
	"gains/cluster-admin": {"GainsClusterAdmin", "Somebody becomes equal to cluster-admin",
		"They can do everything on the cluster, or take it: look at who it is, through which group, and until when."},
	"gains/admin": {"GainsAdmin", "Somebody can give access to others",
		"What they give can outlive the removal of their own access."},
	"gains/unknown": {"GainsUnknown", "Somebody gains a role of which infra does not know what it allows",
		"It may be anything. The role's rules in destinations/ say what it is."},
	"gains/exec":    {"GainsExec", "Somebody can run commands in containers", "A shell in a container has what the container has."},
	"gains/secrets": {"GainsSecrets", "Somebody can read secrets", "What has been read cannot be taken back."},
	"gains/access":  {"GainsAccess", "Somebody gains access", "See who, where, through which group and until when."},
	"loses/access":  {"LosesAccess", "Somebody loses access", "See what they keep."},
	"keeps/longer":  {"KeepsLonger", "Somebody keeps access longer", "See until when, and why."},
	"keeps/shorter": {"KeepsShorter", "Somebody keeps access for less time", "See until when."},
	"changes":       {"Changes", "Something other than people's access changes", "Keys, destinations, roles, policy and settings."},
	"note":          {"Note", "A note on the review itself", "What the review could not take into account."},
	"more":          {"More", "There is more than is shown here", "infra diff lists everything."},
}

func sarifRuleOf(f finding) sarifRule {
	is, known := sarifRules[f.rule]
	if !known { // a rule of the repository's policy
		is.name, is.short = "Policy", sarifMessage(f.title)
		is.help = "A rule of policy: in infra.yaml. What it says is in the message."
		if f.hint != "" {
			is.help += " What to do: " + sarifMessage(f.hint)
		}
	}
	return sarifRule{
		ID: f.rule, Name: is.name, ShortDescription: sarifText{is.short}, FullDescription: sarifText{is.short + ". " + is.help},
		Help: sarifText{is.help}, DefaultConfiguration: sarifDefault{sarifLevels[f.level]},
	}
}
