// Policies and requests to begin with. Names, hosts and hashes in them are made up.

const HASH = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

const token = (name, user, lines) => `[[token]]
name = "${name}"
user = "${user}"
secret_hash = "${HASH}"
expires = 2030-01-01T00:00:00Z
limit_to = '''
${lines.join("\n")}
'''
`;

const JIRA = `[upstream]
product = "jira"
public_url = "https://jira.example.com"
`;

const COMMENTS = token("ci-comments", "svc-ci", [
  "[get]/rest/api/2/issue/KANBAN-\\d+",
  "[get,post]/rest/api/2/issue/KANBAN-\\d+/comment",
  "[post]/rest/api/2/filter[JsonData::editable:boolean==false]",
]);

const GITLAB = `[upstream]
product = "gitlab"
public_url = "https://gitlab.example.com"
`;

export const EXAMPLES = [
  {
    name: "Comments on issues",
    config: JIRA,
    policy: COMMENTS,
    request: "PUT /rest/api/2/issue/KANBAN-412/comment\nContent-Type: application/json\n\n{\"body\":\"Built 4.2.1\"}",
    new: COMMENTS.replace("[get]/rest/api/2/issue/KANBAN-\\d+", "[get,put]/rest/api/2/issue/KANBAN-.*"),
  },
  {
    name: "A condition on a query",
    config: JIRA,
    policy: token("board", "svc-board", [
      "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN]",
      "[get]/rest/api/2/project/KANBAN",
    ]),
    request: "GET /rest/api/2/search?jql=project%20%3D%20KANBAN%20OR%20project%20%3D%20HR",
    new: token("board", "svc-board", [
      "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN.*]",
      "[get]/rest/api/2/project/KANBAN",
    ]),
  },
  {
    name: "A forbid line",
    config: JIRA,
    policy: token("reader", "svc-read", ["[get]/rest/api/2/.*", "!/rest/api/2/user.*"]),
    request: "curl 'https://jira.example.com/rest/api/2/user/search?username=a'",
    new: token("reader", "svc-read", ["[get]/rest/api/2/.*", "!/rest/api/2/user/.*"]),
  },
  {
    name: "A path with two readings",
    config: JIRA,
    policy: token("reader", "svc-read", ["[get]/rest/api/2/issue/.*"]),
    request: "GET /rest/api/2/issue/..%2fuser",
    new: token("reader", "svc-read", ["[get]/rest/api/2/issue/KANBAN-\\d+"]),
  },
  {
    name: "GitLab: one project",
    config: GITLAB,
    policy: token("deploy", "bot", ["[get]/api/v4/projects/42", "[get,post]/api/v4/projects/42/issues"]),
    request: "curl -X DELETE https://gitlab.example.com/api/v4/projects/42",
    new: token("deploy", "bot", ["[get,delete]/api/v4/projects/42", "[get,post]/api/v4/projects/42/issues"]),
  },
];
