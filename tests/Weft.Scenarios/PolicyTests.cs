// SPDX-License-Identifier: Apache-2.0

namespace Weft.Scenarios;

/// <summary>The security examples of the guides, each with calls that are served and calls that are refused; the log names who refused.</summary>
[Collection(RunningMesh.Name)]
public sealed class PolicyTests(TestMesh mesh)
{
    private const string DenyAll = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: deny-all, namespace: NS}
        spec: {}

        """;

    private const string AllowFrontend = """
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: allow-frontend, namespace: NS}
        spec:
          selector:
            matchLabels: {app: backend}
          action: ALLOW
          rules:
          - from:
            - source:
                principals: [cluster.local/ns/NS/sa/frontend]
            to:
            - operation:
                methods: ["GET", "POST"]
                paths: ["/api/*", "/admin/*"]

        """;

    private const string DenyAdmin = """
        ---
        apiVersion: security.istio.io/v1beta1
        kind: AuthorizationPolicy
        metadata: {name: deny-admin, namespace: NS}
        spec:
          selector:
            matchLabels: {app: backend}
          action: DENY
          rules:
          - to:
            - operation:
                paths: ["/admin/*"]
            when:
            - key: source.namespace
              notValues: ["admin-namespace"]

        """;

    [Fact]
    public async Task Deny_all_shuts_out_allow_lets_one_caller_in_and_deny_wins_over_it()
    {
        const string Ns = "policy-http";
        await StartAsync(Ns, "");
        var frontend = await mesh.PodAsync(Ns, "app=frontend");
        var other = await mesh.PodAsync(Ns, "app=other");
        await UntilAsync(Ns, other, "/api/x", "200");

        (await mesh.ApplyAsync(DenyAll.Replace("NS", Ns, StringComparison.Ordinal))).Succeeded();
        await UntilAsync(Ns, other, "/api/x", "403");
        Assert.Equal("403", await StatusAsync(Ns, frontend, "/api/x"));

        (await mesh.ApplyAsync(AllowFrontend.Replace("NS", Ns, StringComparison.Ordinal))).Succeeded();
        await UntilAsync(Ns, frontend, "/api/x", "200");
        Assert.Equal("200", await StatusAsync(Ns, frontend, "/admin/x"));
        Assert.Equal("403", await StatusAsync(Ns, frontend, "/other"));
        Assert.Equal("403", await StatusAsync(Ns, frontend, "/api/x", "-X", "DELETE"));
        Assert.Equal("403", await StatusAsync(Ns, other, "/api/x"));

        (await mesh.ApplyAsync(DenyAdmin.Replace("NS", Ns, StringComparison.Ordinal))).Succeeded();
        await UntilAsync(Ns, frontend, "/admin/x", "403");
        Assert.Equal("200", await StatusAsync(Ns, frontend, "/api/x"));
        Assert.Equal("403", await StatusAsync(Ns, frontend, "/api/../admin/x", "--path-as-is"));
        Assert.Equal("RBAC: access denied", await GetAsync(Ns, frontend, "/admin/x"));

        var log = (await mesh.KubectlAsync("logs", "-n", Ns, "deploy/backend", "-c", "weft-proxy")).Succeeded();
        Assert.Contains($"rbac_access_denied_matched_policy[ns[{Ns}]-policy[deny-admin]-rule[0]]", log, StringComparison.Ordinal);
        Assert.Contains("rbac_access_denied_matched_policy[none]", log, StringComparison.Ordinal);

        var why = await mesh.WeftAsync(["why", "deploy/frontend", "backend", "GET", "/admin/x", "-n", Ns]);
        Assert.Equal(3, why.ExitCode);
        Assert.Contains($"AuthorizationPolicy/{Ns}/deny-admin", why.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Strict_and_policies_hold_on_every_port_and_plain_text_finds_no_way_round_them()
    {
        const string Ns = "policy-ports";
        await StartAsync(Ns, """
            ---
            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: backend, namespace: NS}
            spec:
              selector: {matchLabels: {app: backend}}
              mtls: {mode: STRICT}
              portLevelMtls:
                3001: {mode: PERMISSIVE}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: frontend-only, namespace: NS}
            spec:
              selector: {matchLabels: {app: backend}}
              rules:
              - from: [{source: {principals: [cluster.local/ns/NS/sa/frontend]}}]
              - to: [{operation: {ports: ["3001"]}}]

            """);
        var frontend = await mesh.PodAsync(Ns, "app=frontend");
        var other = await mesh.PodAsync(Ns, "app=other");
        var outsider = await mesh.PodAsync(Ns, "app=outsider");
        await UntilAsync(Ns, frontend, "/", "200");
        await UntilAsync(Ns, other, "/", "403");
        var address = (await mesh.KubectlAsync("get", "pods", "-n", Ns, "-l", "app=backend", "-o", "jsonpath={.items[0].status.podIP}")).Succeeded().Trim();

        // By its name and by its address, on the port of the service, on one for TCP, and on one that nobody has named.
        foreach (var place in new[] { "backend", $"{address}:3000", $"{address}:3002", $"{address}:3003" })
        {
            Assert.Equal("000", await StatusAtAsync(Ns, outsider, $"http://{place}/"));
        }

        Assert.Equal("200", await StatusAtAsync(Ns, outsider, $"http://{address}:3001/"));
        Assert.Equal("200", await StatusAtAsync(Ns, frontend, "http://backend:82/"));

        // On TCP there is no 403: the connection is reset before the server hears of it.
        Assert.Equal("000", await StatusAtAsync(Ns, other, "http://backend:82/"));
        var log = (await mesh.KubectlAsync("logs", "-n", Ns, "deploy/backend", "-c", "weft-proxy")).Succeeded();
        Assert.Contains("rbac_access_denied_matched_policy[none]", log, StringComparison.Ordinal);
    }

    private async Task StartAsync(string ns, string more)
    {
        (await mesh.ApplyAsync(
            Manifests.Namespace(ns) + Backend(ns) + Caller(ns, "frontend", true) + Caller(ns, "other", true) + Caller(ns, "outsider", false)
            + more.Replace("NS", ns, StringComparison.Ordinal))).Succeeded();
        await mesh.WaitForDeploymentsAsync(ns);
    }

    private static string Backend(string ns) => """
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: backend, namespace: NS}
        spec:
          selector: {matchLabels: {app: backend}}
          template:
            metadata: {labels: {app: backend}}
            spec:
              containers:
              - {name: http, image: sample, command: [weft-sample, --port, "3000"], ports: [{containerPort: 3000}]}
              - {name: metrics, image: sample, command: [weft-sample, --port, "3001"], ports: [{containerPort: 3001}]}
              - {name: tcp, image: sample, command: [weft-sample, --port, "3002"], ports: [{containerPort: 3002}]}
              - {name: odd, image: sample, command: [weft-sample, --port, "3003"]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: backend, namespace: NS}
        spec:
          selector: {app: backend}
          ports:
          - {name: http, port: 80, targetPort: 3000}
          - {name: http-metrics, port: 81, targetPort: 3001}
          - {name: tcp, port: 82, targetPort: 3002}

        """.Replace("NS", ns, StringComparison.Ordinal);

    private static string Caller(string ns, string name, bool injected) => """
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: NAME, namespace: NS}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: NAME, namespace: NS}
        spec:
          selector: {matchLabels: {app: NAME}}
          template:
            metadata: {labels: {app: NAME, sidecar.istio.io/inject: "INJECTED"}}
            spec:
              serviceAccountName: NAME
              containers: [{name: app, image: shell, command: [sleep, infinity]}]

        """.Replace("NS", ns, StringComparison.Ordinal).Replace("NAME", name, StringComparison.Ordinal).Replace("INJECTED", injected ? "true" : "false", StringComparison.Ordinal);

    private Task<TimeSpan> UntilAsync(string ns, string pod, string path, string wanted) => Wait.UntilAsync($"{pod} gets {wanted} for {path}", async () =>
    {
        var status = await StatusAsync(ns, pod, path);
        return (status == wanted, status);
    });

    private Task<string> StatusAsync(string ns, string pod, string path, params string[] more) => StatusAtAsync(ns, pod, $"http://backend{path}", more);

    private async Task<string> StatusAtAsync(string ns, string pod, string url, params string[] more) =>
        (await mesh.ExecAsync(ns, pod, ["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", .. more, url])).Output.Trim();

    private async Task<string> GetAsync(string ns, string pod, string path) =>
        (await mesh.ExecAsync(ns, pod, "curl", "-s", "-m", "5", $"http://backend{path}")).Output.Trim();
}
