// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Scenarios;

/// <summary>TLS that ends at a gateway with certificates of Secrets, asked by curl and openssl from outside of the mesh.</summary>
[Collection(RunningMesh.Name)]
public sealed class IngressTlsTests(TestMesh mesh) : IDisposable
{
    private const string Ns = "edge-tls";
    private const int Port = 28443;

    private readonly string _folder = Directory.CreateTempSubdirectory("weft-tls-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_gateway_serves_each_name_with_its_secret_and_a_new_one_without_a_failed_request()
    {
        await AuthorityAsync("ca");
        await AuthorityAsync("stranger");
        await IssueAsync("ca", "client", "client.example.com");
        await IssueAsync("stranger", "other", "client.example.com");
        (await mesh.ApplyAsync(Manifests.Namespace(Ns) + Manifests.App(Ns, "server", "v1") + Manifests.Service(Ns, "server") + Gateway)).Succeeded();
        await mesh.WaitForDeploymentsAsync(Ns);
        Assert.Equal("000 0", await AskAsync("a"));

        await ApplySecretAsync("a");
        await UntilAsync("200 2", "a");
        Assert.Equal("200 1.1", await AskAsync("a", "--http1.1"));
        Assert.Equal("404 2", await AskAsync("a", "-H", "Host: b.example.com"));

        // The other name has none yet: its handshakes fail, and nobody else's.
        Assert.Equal("000 0", await AskAsync("b"));
        await ApplySecretAsync("b");
        await UntilAsync("200 2", "b", Certificate("client"));
        Assert.Equal("000 0", await AskAsync("b"));
        Assert.Equal("000 0", await AskAsync("b", Certificate("other")));
        Assert.Equal("200 2", await AskAsync("a"));

        var old = await Command.RunAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{Port}", "-servername", "a.example.com", "-tls1_1"]);
        Assert.Contains("alert protocol version", old.Output + old.Error, StringComparison.Ordinal);
        await RotateAsync();
    }

    private async Task RotateAsync()
    {
        using var stop = new CancellationTokenSource();
        var answers = new List<string>();
        var load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                answers.Add(await AskAsync("a"));
            }
        });
        var serial = await SerialAsync();
        for (var i = 0; i < 3; i++)
        {
            var before = serial;
            await ApplySecretAsync("a");
            await Wait.UntilAsync("the new certificate is shown", async () => ((serial = await SerialAsync()) != before && serial.Length > 0, serial));
        }

        await stop.CancelAsync();
        await load;
        Assert.True(answers.Count > 3, $"only {answers.Count} requests were made meanwhile");
        Assert.All(answers, answer => Assert.Equal("200 2", answer));
    }

    private static async Task<string> SerialAsync()
    {
        var shown = await Command.RunAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{Port}", "-servername", "a.example.com", "-showcerts"]);
        var certificate = await Command.RunAsync("openssl", ["x509", "-noout", "-serial"], input: shown.Output);
        return certificate.Output.Trim();
    }

    private async Task UntilAsync(string expected, string host, params string[] arguments) =>
        await Wait.UntilAsync($"{host} answers '{expected}'", async () =>
        {
            var answer = await AskAsync(host, arguments);
            return (answer == expected, answer);
        });

    /// <summary>The status and the version of HTTP; 000 where there was no connection.</summary>
    private async Task<string> AskAsync(string host, params string[] arguments) => (await Command.RunAsync("curl", [
        "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--cacert", Path.Combine(_folder, "ca.crt"),
        "--resolve", $"{host}.example.com:{Port}:127.0.0.1", .. arguments, $"https://{host}.example.com:{Port}/"])).Output.Trim();

    private string[] Certificate(string name) => ["--cert", Path.Combine(_folder, $"{name}.crt"), "--key", Path.Combine(_folder, $"{name}.key")];

    private async Task AuthorityAsync(string name) => (await Command.RunAsync("openssl", [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", $"/CN={name}",
        "-keyout", Path.Combine(_folder, $"{name}.key"), "-out", Path.Combine(_folder, $"{name}.crt")])).Succeeded();

    private async Task IssueAsync(string authority, string name, string host)
    {
        var file = Path.Combine(_folder, name);
        await File.WriteAllTextAsync($"{file}.ext", $"subjectAltName=DNS:{host}\n");
        (await Command.RunAsync("openssl", ["req", "-newkey", "rsa:2048", "-nodes", "-subj", $"/CN={host}", "-keyout", $"{file}.key", "-out", $"{file}.csr"])).Succeeded();
        (await Command.RunAsync("openssl", [
            "x509", "-req", "-days", "30", "-CA", Path.Combine(_folder, $"{authority}.crt"), "-CAkey", Path.Combine(_folder, $"{authority}.key"),
            "-in", $"{file}.csr", "-out", $"{file}.crt", "-extfile", $"{file}.ext"])).Succeeded();
    }

    /// <summary>A new certificate for the host, with the roots of its clients beside it.</summary>
    private async Task ApplySecretAsync(string host)
    {
        await IssueAsync("ca", host, $"{host}.example.com");
        string Value(string file) => Convert.ToBase64String(Encoding.UTF8.GetBytes(File.ReadAllText(Path.Combine(_folder, file))));
        (await mesh.ApplyAsync($"""
            apiVersion: v1
            kind: Secret
            metadata:
              name: {host}-cert
              namespace: {Ns}
            data:
              tls.crt: {Value($"{host}.crt")}
              tls.key: {Value($"{host}.key")}
              ca.crt: {Value("ca.crt")}
            """)).Succeeded();
    }

    private const string Gateway = """
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: edge, namespace: edge-tls}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: edge-sds, namespace: edge-tls}
        rules: [{apiGroups: [""], resources: [secrets], verbs: [get, watch, list]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: edge-sds, namespace: edge-tls}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: edge-sds}
        subjects: [{kind: ServiceAccount, name: edge}]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: edge, namespace: edge-tls}
        spec:
          selector: {matchLabels: {istio: edge-tls}}
          template:
            metadata:
              labels: {istio: edge-tls, sidecar.istio.io/inject: "true"}
              annotations: {inject.istio.io/templates: gateway}
            spec:
              serviceAccountName: edge
              containers: [{name: istio-proxy, image: auto}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: edge, namespace: edge-tls}
        spec:
          type: LoadBalancer
          selector: {istio: edge-tls}
          ports: [{name: https, port: 28443, targetPort: 8443}]
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: edge-tls}
        spec:
          selector: {istio: edge-tls}
          servers:
          - port: {number: 28443, name: https-a, protocol: HTTPS}
            hosts: [a.example.com]
            tls: {mode: SIMPLE, credentialName: a-cert}
          - port: {number: 28443, name: https-b, protocol: HTTPS}
            hosts: [b.example.com]
            tls: {mode: MUTUAL, credentialName: b-cert}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: server, namespace: edge-tls}
        spec:
          hosts: [a.example.com, b.example.com]
          gateways: [edge]
          http: [{route: [{destination: {host: server}}]}]

        """;
}
