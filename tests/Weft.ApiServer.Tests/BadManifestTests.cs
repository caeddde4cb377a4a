// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Weft.ApiServer.Tests.Transcripts;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Every class of a bad manifest gets the code, the reason and the words that Kubernetes gives, over HTTP and in kubectl.</summary>
public sealed class BadManifestTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments";

    private static readonly string _long = new('a', 254);

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"x":1}}""", 400, "BadRequest", "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dat":{}}""", 400, "BadRequest", "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"dat\"")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","name":"b"}}""", 400, "BadRequest", "duplicate field \"metadata.name\"")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"A_b"}}""", 422, "Invalid", "ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"LONG"}}""", 422, "Invalid", "must be no more than 253 characters")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}""", 422, "Invalid", "metadata.name: Required value: name or generateName is required")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"x":"b b"}}}""", 422, "Invalid", "metadata.labels: Invalid value: \"b b\": a valid label must be")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"other"}}""", 400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request")]
    [InlineData("/api/v1/namespaces/nosuch/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}""", 404, "NotFound", "namespaces \"nosuch\" not found")]
    [InlineData(Maps, """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}""", 400, "BadRequest", "Secret in version \"v1\" cannot be handled as a ConfigMap")]
    [InlineData("/apis/networking.istio.io/v1/namespaces/default/virtualservices", """{"apiVersion":"networking.istio.io/v1","metadata":{"name":"a"}}""", 400, "BadRequest", "Object 'Kind' is missing in '{")]
    [InlineData(Maps, """{"apiVersion":"v1",""", 400, "BadRequest", "")]
    [InlineData(Pods, """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[]}}""", 422, "Invalid", "Pod \"p\" is invalid: spec.containers: Required value")]
    [InlineData(Pods, """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"restartPolicy":"Sometimes","containers":[{"name":"c","image":"i"}]}}""", 422, "Invalid", "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"")]
    [InlineData(Deployments, """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"c"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""", 422, "Invalid", "`selector` does not match template `labels`")]
    [InlineData(Deployments, """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":"two","selector":{},"template":{}}}""", 400, "BadRequest", "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32")]
    [InlineData("/apis/networking.istio.io/v1/namespaces/default/gateways", """{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"g"},"spec":{"servers":[{"hosts":["*"],"port":{"number":"x","name":"n","protocol":"HTTP"}}]}}""", 422, "Invalid", "spec.servers[0].port.number: Invalid value: \"string\": spec.servers[0].port.number in body must be of type integer: \"string\"")]
    [InlineData("/api/v1/namespaces/default/services", """{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":1}],"ipFamilies":["IPv6"]}}""", 422, "Invalid", "Service \"s\" is invalid: spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster")]
    [InlineData("/api/v1/namespaces/default/services", """{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":1}],"ipFamilyPolicy":"RequireDualStack"}}""", 422, "Invalid", "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services")]
    [InlineData("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", """{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment","name":"d"},"behavior":{"scaleDown":{"stabilizationWindowSeconds":3601}}}}""", 422, "Invalid", "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600")]
    [InlineData("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", """{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment","name":"d"},"behavior":{"scaleUp":{"policies":[{"type":"Pods","value":0,"periodSeconds":15}]}}}}""", 422, "Invalid", "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero")]
    [InlineData("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers", """{"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":2,"scaleTargetRef":{"kind":"Deployment","name":"d"},"behavior":{"scaleUp":{"selectPolicy":"Most"}}}}""", 422, "Invalid", "spec.behavior.scaleUp.selectPolicy: Unsupported value: \"Most\": supported values: \"Disabled\", \"Max\", \"Min\"")]
    public async Task A_new_object_that_is_wrong_is_refused(string path, string body, int code, string reason, string message)
    {
        var (answered, status) = await _server.PostAsync(
            path + "?fieldValidation=Strict", body.Replace("LONG", _long, StringComparison.Ordinal));
        Assert.Equal((code, reason), ((int)answered, (string?)status["reason"]));
        Assert.Contains(message, (string)status["message"]!, StringComparison.Ordinal);
        Assert.Equal(("Status", "Failure", code), ((string?)status["kind"], (string?)status["status"], (int)status["code"]!));
    }

    [Fact]
    public async Task A_version_that_is_not_served_is_no_page()
    {
        var (code, body) = await _server.PostAsync(
            "/apis/apps/v7/namespaces/default/deployments", """{"apiVersion":"apps/v7","kind":"Deployment","metadata":{"name":"a"}}""");
        Assert.Equal((HttpStatusCode.NotFound, "404 page not found\n"), (code, (string?)body));
    }

    [Fact]
    public async Task A_change_that_is_wrong_is_refused()
    {
        await _server.PostAsync(Deployments, """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},
            "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
            """);
        var (immutable, field) = await PatchAsync(
            Deployments + "/d", """{"spec":{"selector":{"matchLabels":{"a":"z"}},"template":{"metadata":{"labels":{"a":"z"}}}}}""");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "Invalid"), (immutable, (string)field["reason"]!));
        Assert.Contains("field is immutable", (string)field["message"]!, StringComparison.Ordinal);
        var (stale, conflict) = await PatchAsync(Deployments + "/d", """{"metadata":{"resourceVersion":"1"},"spec":{"replicas":2}}""");
        Assert.Equal((HttpStatusCode.Conflict, "Conflict"), (stale, (string)conflict["reason"]!));
        var (renamed, other) = await PatchAsync(Deployments + "/d", """{"metadata":{"name":"e"}}""");
        Assert.Equal((HttpStatusCode.BadRequest, "BadRequest"), (renamed, (string)other["reason"]!));
        Assert.Equal("the name of the object (e) does not match the name on the URL (d)", (string)other["message"]!);
        var (missing, gone) = await PatchAsync(Deployments + "/nosuch", "{}");
        Assert.Equal((HttpStatusCode.NotFound, "NotFound"), (missing, (string)gone["reason"]!));
    }

    [Fact]
    public async Task An_object_that_is_too_large_is_refused_by_what_it_is_or_by_its_bytes()
    {
        var value = new string('x', 2 * 1024 * 1024);
        var (code, status) = await _server.PostAsync(
            Maps, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"big"},"data":{"x":"{{{value}}}"}}""");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "Invalid"), (code, (string)status["reason"]!));
        Assert.Contains("Too long", (string)status["message"]!, StringComparison.Ordinal);
        var (refused, body) = await _server.PostAsync(
            Maps, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"big"},"data":{"x":"{{{value}}}{{{value}}}"}}""");
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "RequestEntityTooLarge"), (refused, (string)body["reason"]!));
    }

    [Theory]
    [InlineData("1.32")]
    [InlineData("1.35")]
    public async Task Kubectl_says_what_is_wrong(string version)
    {
        using var relay = new TcpRelay(_server.Options.TlsSocket!);
        _server.WriteKubeconfig(Path.Combine(_server.Folder, "kubeconfig"), relay.Url);
        await FailsAsync(
            version,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: 1}\n",
            "Error from server (BadRequest): error when creating \"STDIN\": ConfigMap in version \"v1\" cannot be handled as a ConfigMap: " +
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string");
        await FailsAsync(
            version,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {}\n",
            "Error from server (BadRequest): error when creating \"STDIN\": ConfigMap in version \"v1\" cannot be handled as a ConfigMap: " +
            "strict decoding error: unknown field \"spec\"");
        await FailsAsync(
            version,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: nosuch}\n",
            "Error from server (NotFound): error when creating \"STDIN\": namespaces \"nosuch\" not found");
        await FailsAsync(
            version,
            "apiVersion: example.com/v1\nkind: Nothing\nmetadata: {name: a}\n",
            "error: resource mapping not found for name: \"a\" namespace: \"\" from \"STDIN\": no matches for kind \"Nothing\" in version " +
            "\"example.com/v1\"\nensure CRDs are installed first");
        var (_, explained, _) = await RunAsync(version, "", "explain", "deployment.spec.replicas");
        Assert.Contains("How many pods there shall be.", explained, StringComparison.Ordinal);
        var (code, older, error) = await RunAsync(version, "", "explain", "service.spec.type", "--output=plaintext-openapiv2");
        Assert.True(code == 0, error);
        Assert.Contains("ClusterIP, NodePort, LoadBalancer or ExternalName.", older, StringComparison.Ordinal);
    }

    private async Task FailsAsync(string version, string manifest, string message)
    {
        var (code, _, error) = await RunAsync(version, manifest, "create", "-f", "-");
        Assert.Equal(1, code);
        Assert.Equal(message, error.Trim());
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string version, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(TranscriptTests.Kubectl(version), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        };
        start.Environment["KUBECONFIG"] = Path.Combine(_server.Folder, "kubeconfig");
        start.Environment["HOME"] = _server.Folder;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }

    private Task<(HttpStatusCode Code, JsonNode Body)> PatchAsync(string path, string patch) =>
        _server.SendAsync(HttpMethod.Patch, path, patch, "application/merge-patch+json");
}
