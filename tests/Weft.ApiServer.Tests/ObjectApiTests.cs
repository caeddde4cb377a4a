// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.Model.Diagnostics;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Objects over HTTP: writes, conflicts, defaults, deletion.</summary>
public sealed class ObjectApiTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments";

    private const string Deployment =
        """
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},
        "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}
        """;

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_stale_update_is_a_conflict_and_a_second_create_exists_already()
    {
        var (code, first) = await _server.PostAsync(Maps, Map("a"));
        Assert.Equal(HttpStatusCode.Created, code);
        var (again, status) = await _server.PostAsync(Maps, Map("a"));
        Assert.Equal(HttpStatusCode.Conflict, again);
        Assert.Equal("configmaps \"a\" already exists", (string)status["message"]!);
        Assert.Equal("AlreadyExists", (string)status["reason"]!);
        first["data"] = new JsonObject { ["x"] = "1" };
        var (updated, _) = await _server.SendAsync(HttpMethod.Put, Maps + "/a", first.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, updated);
        first["data"] = new JsonObject { ["x"] = "2" };
        var (stale, why) = await _server.SendAsync(HttpMethod.Put, Maps + "/a", first.ToJsonString());
        Assert.Equal(HttpStatusCode.Conflict, stale);
        Assert.Contains("the object has been modified", (string)why["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Generation_counts_the_spec_and_status_is_written_apart()
    {
        await _server.PostAsync(Deployments, Deployment);
        var (_, scaled) = await PatchAsync(Deployments + "/d", """{"spec":{"replicas":3},"status":{"replicas":9}}""");
        Assert.Equal(2, (int)scaled["metadata"]!["generation"]!);
        Assert.Null(scaled["status"]!["replicas"]);
        var (_, labelled) = await PatchAsync(Deployments + "/d", """{"metadata":{"labels":{"x":"y"}}}""");
        Assert.Equal(2, (int)labelled["metadata"]!["generation"]!);
        var (_, status) = await PatchAsync(Deployments + "/d/status", """{"spec":{"replicas":7},"status":{"replicas":4}}""");
        Assert.Equal(3, (int)status["spec"]!["replicas"]!);
        Assert.Equal(4, (int)status["status"]!["replicas"]!);
        var (_, unchanged) = await PatchAsync(Deployments + "/d", """{"spec":{"replicas":3}}""");
        Assert.Equal((string)status["metadata"]!["resourceVersion"]!, (string)unchanged["metadata"]!["resourceVersion"]!);
    }

    [Fact]
    public async Task Deployments_and_pods_get_the_defaults_that_users_see()
    {
        var (_, made) = await _server.PostAsync(Deployments, Deployment);
        var spec = made["spec"]!;
        Assert.Equal((1, 10, 600), ((int)spec["replicas"]!, (int)spec["revisionHistoryLimit"]!, (int)spec["progressDeadlineSeconds"]!));
        Assert.Equal("25%", (string)spec["strategy"]!["rollingUpdate"]!["maxSurge"]!);
        var (_, pod) = await _server.PostAsync(Pods, Pod("p", "a/b:1"));
        Assert.Equal("IfNotPresent", (string)pod["spec"]!["containers"]![0]!["imagePullPolicy"]!);
        Assert.Equal(("Always", "ClusterFirst"), ((string)pod["spec"]!["restartPolicy"]!, (string)pod["spec"]!["dnsPolicy"]!));
        Assert.Equal(("Pending", "BestEffort"), ((string)pod["status"]!["phase"]!, (string)pod["status"]!["qosClass"]!));
    }

    [Fact]
    public async Task Services_get_an_address_each_and_keep_it()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { "10.96.0.1" };
        for (var i = 0; i < 20; i++)
        {
            var (_, service) = await _server.PostAsync(Services, Service($"s{i}", ""));
            var address = (string)service["spec"]!["clusterIP"]!;
            Assert.True(seen.Add(address), $"{address} was given twice");
            Assert.True(_server.Options.ServiceNetwork.Contains(IPAddress.Parse(address)));
            Assert.Equal(80, (int)service["spec"]!["ports"]![0]!["targetPort"]!);
        }

        var (_, none) = await _server.PostAsync(Services, Service("h", "\"clusterIP\":\"None\","));
        Assert.Equal("None", (string)none["spec"]!["clusterIP"]!);
        var (taken, why) = await _server.PostAsync(Services, Service("t", "\"clusterIP\":\"10.96.0.1\","));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, taken);
        Assert.Contains("provided IP is already allocated", (string)why["message"]!, StringComparison.Ordinal);
        var (_, node) = await _server.PostAsync(Services, Service("n", "\"type\":\"NodePort\","));
        Assert.InRange((int)node["spec"]!["ports"]![0]!["nodePort"]!, 30000, 32767);
        var (moved, _) = await PatchAsync(Services + "/s0", """{"spec":{"clusterIP":"10.96.9.9"}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, moved);
    }

    [Fact]
    public async Task Bodies_beyond_the_limits_are_refused_by_name()
    {
        var (large, size) = await _server.PostAsync(Maps, Map("big", new string('x', ApiLimits.BodyBytes)));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large);
        Assert.Contains($"{ApiLimits.BodyBytes}", (string)size["message"]!, StringComparison.Ordinal);
        var deep = new string('[', 100_000) + new string(']', 100_000);
        var (nested, depth) = await _server.PostAsync(Maps, "{\"x\":" + deep + "}");
        Assert.Equal(HttpStatusCode.BadRequest, nested);
        Assert.Contains($"deeper than {ApiLimits.JsonDepth}", (string)depth["message"]!, StringComparison.Ordinal);
        var (value, _) = await _server.PostAsync(Maps, Map("mid", new string('x', ApiLimits.ConfigurationBytes + 1)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, value);
    }

    [Fact]
    public async Task Unknown_fields_follow_the_field_validation_that_the_client_asks_for()
    {
        var body = Deployment.Replace("\"spec\":{\"selector\"", "\"spec\":{\"bogus\":1,\"selector\"", StringComparison.Ordinal);
        var (strict, why) = await _server.PostAsync(Deployments + "?fieldValidation=Strict", body);
        Assert.Equal(HttpStatusCode.BadRequest, strict);
        Assert.Contains("strict decoding error: unknown field \"spec.bogus\"", (string)why["message"]!, StringComparison.Ordinal);
        var (ignored, made) = await _server.PostAsync(Deployments + "?fieldValidation=Ignore", body);
        Assert.Equal(HttpStatusCode.Created, ignored);
        Assert.Null(made["spec"]!["bogus"]);
        var (type, error) = await PatchAsync(Deployments + "/d", """{"spec":{"replicas":"x"}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, type);
        Assert.Contains("cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32", (string)error["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bound_pod_is_only_marked_until_its_node_has_ended_it()
    {
        await _server.PostAsync(Pods, Pod("p", "i"));
        await PatchAsync(Pods + "/p", """{"spec":{"nodeName":"weft"}}""");
        var (_, marked) = await _server.SendAsync(HttpMethod.Delete, Pods + "/p", null);
        Assert.Equal(30, (int)marked["metadata"]!["deletionGracePeriodSeconds"]!);
        Assert.NotNull(marked["metadata"]!["deletionTimestamp"]);
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync(Pods + "/p")).Code);
        await _server.SendAsync(HttpMethod.Delete, Pods + "/p?gracePeriodSeconds=0", null);
        Assert.Equal(HttpStatusCode.NotFound, (await _server.GetAsync(Pods + "/p")).Code);
    }

    [Fact]
    public async Task A_finalizer_keeps_an_object_until_it_is_removed()
    {
        await _server.PostAsync(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"f","finalizers":["x.test/f"]}}""");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/f", null);
        var (_, marked) = await _server.GetAsync(Maps + "/f");
        Assert.NotNull(marked["metadata"]!["deletionTimestamp"]);
        await PatchAsync(Maps + "/f", """{"metadata":{"finalizers":null}}""");
        Assert.Equal(HttpStatusCode.NotFound, (await _server.GetAsync(Maps + "/f")).Code);
    }

    [Theory]
    [InlineData("Background", false)]
    [InlineData("Foreground", false)]
    [InlineData("Orphan", true)]
    public async Task Dependents_follow_their_owner_as_the_policy_says(string policy, bool kept)
    {
        var (_, owner) = await _server.PostAsync(Maps, Map("owner"));
        var reference = $$$"""[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{{{owner["metadata"]!["uid"]}}}","blockOwnerDeletion":true}]""";
        await _server.PostAsync(Maps, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"child","ownerReferences":{{{reference}}}}}""");
        await _server.SendAsync(HttpMethod.Delete, Maps + "/owner", $$$"""{"propagationPolicy":"{{{policy}}}"}""");
        await GoneAsync(Maps + "/owner");
        if (!kept)
        {
            await GoneAsync(Maps + "/child");
            return;
        }

        var (code, child) = await _server.GetAsync(Maps + "/child");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Null(child["metadata"]!["ownerReferences"]);
    }

    [Fact]
    public async Task A_namespace_goes_with_everything_in_it_and_takes_nothing_new_meanwhile()
    {
        await _server.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}}""");
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync("/api/v1/namespaces/n/serviceaccounts/default")).Code);
        await _server.PostAsync("/api/v1/namespaces/n/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"f","finalizers":["x.test/f"]}}""");
        await _server.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/n", null);
        var (refused, why) = await _server.PostAsync("/api/v1/namespaces/n/configmaps", Map("late"));
        Assert.Equal(HttpStatusCode.Forbidden, refused);
        Assert.Contains("because it is being terminated", (string)why["message"]!, StringComparison.Ordinal);
        await PatchAsync("/api/v1/namespaces/n/configmaps/f", """{"metadata":{"finalizers":null}}""");
        await GoneAsync("/api/v1/namespaces/n");
        var (immortal, _) = await _server.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/default", null);
        Assert.Equal(HttpStatusCode.Forbidden, immortal);
    }

    [Fact]
    public async Task Istio_versions_are_one_object_and_unknown_fields_are_refused()
    {
        const string Body = """{"apiVersion":"networking.istio.io/v1alpha3","kind":"VirtualService","metadata":{"name":"v"},"spec":{"hosts":["a"],"http":[{"route":[{"destination":{"host":"b"},"weight":1}]}]}}""";
        var (made, _) = await _server.PostAsync("/apis/networking.istio.io/v1alpha3/namespaces/default/virtualservices", Body);
        Assert.Equal(HttpStatusCode.Created, made);
        var (_, read) = await _server.GetAsync("/apis/networking.istio.io/v1beta1/namespaces/default/virtualservices/v");
        Assert.Equal("networking.istio.io/v1beta1", (string)read["apiVersion"]!);
        var (bad, why) = await PatchAsync("/apis/networking.istio.io/v1/namespaces/default/virtualservices/v", """{"spec":{"http":[{"route":[{"destination":{},"weight":"x"}]}]}}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, bad);
        Assert.Contains("spec.http[0].route[0].destination.host: Required value", (string)why["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_outlive_a_restart_of_the_server()
    {
        var (_, made) = await _server.PostAsync(Maps, Map("a"));
        await _server.RestartAsync();
        var (_, read) = await _server.GetAsync(Maps + "/a");
        Assert.True(JsonNode.DeepEquals(made, read));
    }

    [Fact]
    public async Task Admission_changes_new_pods_and_refuses_what_the_dialects_refuse()
    {
        var hooks = new AdmissionHooks(
            (pod, ns, find) =>
            {
                Assert.Null(find.Find("configmaps", "default", "b"));
                pod["metadata"]!["annotations"] = new JsonObject
                {
                    ["seen"] = $"{ns!["metadata"]!["name"]} and {find.Find("configmaps", "default", "a")!["metadata"]!["name"]}",
                };
                return pod;
            },
            tree => (string?)tree["metadata"]!["name"] switch
            {
                "bad" => [Finding(Severity.Error)],
                "odd" => [Finding(Severity.Warning)],
                _ => [],
            });
        await using var server = await TestServer.StartAsync(hooks);
        await server.PostAsync(Maps, Map("a"));
        var (_, pod) = await server.PostAsync(Pods, Pod("p", "i"));
        Assert.Equal("default and a", (string)pod["metadata"]!["annotations"]!["seen"]!);
        var (refused, why) = await server.PostAsync(Maps, Map("bad"));
        Assert.Equal(HttpStatusCode.BadRequest, refused);
        Assert.Equal("admission webhook \"validation.weft\" denied the request: data.x: no (WEFT0001)", (string)why["message"]!);
        using var request = new HttpRequestMessage(HttpMethod.Post, Maps) { Content = new StringContent(Map("odd"), null, "application/json") };
        using var answer = await server.SendRawAsync(request);
        Assert.Equal("299 - \"data.x: no (WEFT0001)\"", answer.Headers.GetValues("Warning").Single());
    }

    [Fact]
    public async Task Warnings_of_one_write_are_said_once_and_have_a_limit_together()
    {
        var looked = new List<string>();
        var hooks = AdmissionHooks.None with
        {
            Consider = (tree, stored) =>
            {
                looked.Add($"{stored.Find("configmaps", "default", "a") is not null} {stored.List("configmaps", "default").Take(2).Count()}");
                var several = (string?)tree["metadata"]!["name"] == "many" ? 100 : 2;
                return [.. Enumerable.Range(0, several).Select(i => new Diagnostic(
                    "WEFT0001", Severity.Warning, Origin.BuiltIn, (several > 2 ? i.ToString(System.Globalization.CultureInfo.InvariantCulture) : "same") + new string('x', 300)))];
            },
        };
        await using var server = await TestServer.StartAsync(hooks);
        foreach (var name in new[] { "a", "b", "c" })
        {
            using var one = new HttpRequestMessage(HttpMethod.Post, Maps) { Content = new StringContent(Map(name), null, "application/json") };
            using var few = await server.SendRawAsync(one);
            Assert.True(few.Headers.GetValues("Warning").Single().Length > 300);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, Maps) { Content = new StringContent(Map("many"), null, "application/json") };
        using var answer = await server.SendRawAsync(request);
        var warnings = answer.Headers.GetValues("Warning").ToList();
        Assert.Equal(16, warnings.Count);
        Assert.All(warnings, warning => Assert.Equal(256 + "299 - \"\"".Length, warning.Length));

        // The namespace has a map of its own.
        Assert.Equal(["False 1", "True 2", "True 2", "True 2"], looked);
    }

    private static Diagnostic Finding(Severity severity) =>
        new("WEFT0001", severity, Origin.BuiltIn with { Path = "data.x" }, "no");

    private static string Map(string name, string value = "1") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"},"data":{"v":"{{{value}}}"}}""";

    private static string Pod(string name, string image) =>
        $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"},"spec":{"containers":[{"name":"c","image":"{{{image}}}"}]}}""";

    private static string Service(string name, string more) =>
        $$$"""{"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}"},"spec":{{{{more}}}"ports":[{"port":80}]}}""";

    private Task<(HttpStatusCode Code, JsonNode Body)> PatchAsync(string path, string patch) =>
        _server.SendAsync(HttpMethod.Patch, path, patch, "application/merge-patch+json");

    private Task GoneAsync(string path) => Eventually.HoldsAsync(
        path + " is gone", async () => (await _server.GetAsync(path)).Code == HttpStatusCode.NotFound);
}
