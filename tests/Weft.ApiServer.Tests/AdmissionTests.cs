// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Admission webhooks over real TLS, quotas and limit ranges.</summary>
public sealed class AdmissionTests : IAsyncLifetime
{
    private const string Group = "/apis/admissionregistration.k8s.io/v1";
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private TestServer _server = null!;
    private Webhook _webhook = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _webhook = await Webhook.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _webhook.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_pod_gets_the_number_of_its_priority_class()
    {
        const string Classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
        const string Pods = "/api/v1/namespaces/default/pods";
        await _server.PostAsync(Classes, """{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"high"},"value":1000,"preemptionPolicy":"Never"}""");
        var (_, high) = await _server.PostAsync(Pods, Pod("a", ""","priorityClassName":"high" """));
        Assert.Equal(1000, (int)high["spec"]!["priority"]!);
        Assert.Equal("Never", (string)high["spec"]!["preemptionPolicy"]!);
        var (code, body) = await _server.PostAsync(Pods, Pod("b", ""","priorityClassName":"none" """));
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Equal("pods \"b\" is forbidden: no PriorityClass with name none was found", (string)body["message"]!);
        Assert.Equal(HttpStatusCode.Forbidden, (await _server.PostAsync(Pods, Pod("c", ""","priority":7"""))).Code);
        Assert.Equal(0, (int)(await _server.PostAsync(Pods, Pod("d", ""))).Body["spec"]!["priority"]!);
        await _server.PostAsync(Classes, """{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{"name":"common"},"value":5,"globalDefault":true}""");
        Assert.Equal("common 5", (await _server.PostAsync(Pods, Pod("e", ""))).Body["spec"] is { } spec ? $"{spec["priorityClassName"]} {spec["priority"]}" : "");
        Assert.Equal(2_000_001_000, (int)(await _server.PostAsync(Pods, Pod("f", ""","priorityClassName":"system-node-critical" """))).Body["spec"]!["priority"]!);

        static string Pod(string name, string more) => $$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}"},"spec":{"containers":[{"name":"c","image":"i"}]{{{more}}}}}
            """;
    }

    [Fact]
    public async Task A_mutating_webhook_patches_and_a_validating_one_sees_the_result()
    {
        _webhook.Answer = (path, review) => path switch
        {
            "/mutate" => Patch(review, """[{"op":"add","path":"/metadata/labels","value":{"seen":"yes"}}]"""),
            _ => Allow(review, (string?)review["request"]!["object"]!["metadata"]!["labels"]?["seen"] is "yes", "no label"),
        };
        await ConfigureAsync("Mutating", "/mutate");
        await ConfigureAsync("Validating", "/validate");
        var (code, made) = await _server.PostAsync(Maps, Map("a"));
        Assert.Equal(HttpStatusCode.Created, code);
        Assert.Equal("yes", (string)made["metadata"]!["labels"]!["seen"]!);
        Assert.Equal(["/mutate CREATE a", "/validate CREATE a"], _webhook.Asked);
        await _server.SendAsync(HttpMethod.Delete, Maps + "/a", null);
        Assert.Equal(HttpStatusCode.NotFound, (await _server.GetAsync(Maps + "/a")).Code);
    }

    [Theory]
    [InlineData("hook.default.svc", HttpStatusCode.Created)]
    [InlineData("hook.elsewhere.svc", HttpStatusCode.InternalServerError)]
    public async Task A_webhook_behind_a_service_is_asked_at_its_cluster_address_and_must_prove_the_services_name(string proven, HttpStatusCode expected)
    {
        // Cluster addresses of this server are loopback addresses, so that one can listen on them without a node.
        const string Address = "127.96.0.20";
        await using var server = await TestServer.StartAsync(
            adapt: options => options with { ServiceNetwork = new(IPAddress.Parse("127.96.0.0"), 16) });
        await using var webhook = await Webhook.StartAsync(IPAddress.Parse(Address), proven);
        var port = new Uri(webhook.Url).Port;
        await server.PostAsync(
            "/api/v1/namespaces/default/services",
            $$$"""{"apiVersion":"v1","kind":"Service","metadata":{"name":"hook"},"spec":{"clusterIP":"{{{Address}}}","ports":[{"port":{{{port}}}}]}}""");
        await server.PostAsync(
            Group + "/validatingwebhookconfigurations",
            $$$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"w"},"webhooks":[{
              "name":"w.example.com","admissionReviewVersions":["v1"],"sideEffects":"None","timeoutSeconds":5,
              "clientConfig":{"caBundle":"{{{webhook.Bundle}}}","service":{"namespace":"default","name":"hook","port":{{{port}}},"path":"/check"}},
              "rules":[{"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"],"operations":["CREATE"]}]}]}
            """);
        var (code, answer) = await server.PostAsync(Maps, Map("a"));
        Assert.True(code == expected, $"{code}: {answer}");
        if (expected == HttpStatusCode.Created)
        {
            Assert.Equal(["/check CREATE a"], webhook.Asked);
        }
        else
        {
            Assert.Contains($"failed calling webhook \"w.example.com\": failed to call webhook: Post \"https://hook.default.svc/check?timeout=5s\"", (string)answer["message"]!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_denial_and_its_warnings_reach_the_client()
    {
        _webhook.Answer = (_, review) => Allow(review, false, "not today", "think again");
        await ConfigureAsync("Validating", "/validate");
        using var request = new HttpRequestMessage(HttpMethod.Post, Maps) { Content = new StringContent(Map("a"), Encoding.UTF8, "application/json") };
        using var answer = await _server.SendRawAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("admission webhook \\\"v.weft.test\\\" denied the request: not today", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_that_is_gone_refuses_or_is_passed_over_as_its_policy_says()
    {
        await _webhook.DisposeAsync();
        await ConfigureAsync("Validating", "/validate");
        var (code, why) = await _server.PostAsync(Maps, Map("a"));
        Assert.Equal(HttpStatusCode.InternalServerError, code);
        Assert.StartsWith("Internal error occurred: failed calling webhook \"v.weft.test\": failed to call webhook: Post \"https://127.0.0.1:", (string)why["message"]!, StringComparison.Ordinal);
        await _server.SendAsync(HttpMethod.Patch, $"{Group}/validatingwebhookconfigurations/v", """[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Ignore"}]""", "application/json-patch+json");
        Assert.Equal(HttpStatusCode.Created, (await _server.PostAsync(Maps, Map("a"))).Code);
    }

    [Fact]
    public async Task A_webhook_sees_only_what_its_selectors_and_rules_ask_for()
    {
        _webhook.Answer = (_, review) => Allow(review, false, "no");
        await ConfigureAsync("Validating", "/validate", """ "namespaceSelector":{"matchLabels":{"watched":"yes"}},""");
        Assert.Equal(HttpStatusCode.Created, (await _server.PostAsync(Maps, Map("a"))).Code);
        await _server.SendAsync(HttpMethod.Patch, "/api/v1/namespaces/default", """{"metadata":{"labels":{"watched":"yes"}}}""", "application/merge-patch+json");
        Assert.Equal(HttpStatusCode.BadRequest, (await _server.PostAsync(Maps, Map("b"))).Code);
        Assert.Equal(HttpStatusCode.Created, (await _server.PostAsync(
            "/api/v1/namespaces/default/serviceaccounts", """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"s"}}""")).Code);
    }

    [Fact]
    public async Task A_quota_counts_and_refuses_what_exceeds_it()
    {
        const string Quotas = "/api/v1/namespaces/default/resourcequotas";
        await _server.PostAsync(Quotas, """{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"count/configmaps":"2"}}}""");
        Assert.Equal(HttpStatusCode.Created, (await _server.PostAsync(Maps, Map("a"))).Code);
        var (code, why) = await _server.PostAsync(Maps, Map("b"));
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Equal(
            "configmaps \"b\" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=2, limited: count/configmaps=2",
            (string)why["message"]!);
        await Eventually.HoldsAsync("the status counts two", async () =>
            (string?)(await _server.GetAsync(Quotas + "/q")).Body["status"]?["used"]?["count/configmaps"] is "2");
    }

    [Fact]
    public async Task A_limit_range_gives_defaults_and_keeps_bounds()
    {
        await _server.PostAsync("/api/v1/namespaces/default/limitranges", """{"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"l"},"spec":{"limits":[{"type":"Container","default":{"cpu":"200m"},"defaultRequest":{"cpu":"100m"},"max":{"cpu":"1"}}]}}""");
        const string Pods = "/api/v1/namespaces/default/pods";
        var (_, pod) = await _server.PostAsync(Pods, """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}""");
        Assert.Equal("""{"limits":{"cpu":"200m"},"requests":{"cpu":"100m"}}""", pod["spec"]!["containers"]![0]!["resources"]!.ToJsonString());
        Assert.Equal("Burstable", (string)pod["status"]!["qosClass"]!);
        var (code, why) = await _server.PostAsync(Pods, """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"q"},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"2"}}}]}}""");
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Contains("maximum cpu usage per Container is 1, but limit is 2", (string)why["message"]!, StringComparison.Ordinal);
    }

    private async Task ConfigureAsync(string kind, string path, string more = "")
    {
        var name = char.ToLowerInvariant(kind[0]).ToString();
        var (code, why) = await _server.PostAsync($"{Group}/{kind.ToLowerInvariant()}webhookconfigurations", $$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"{{kind}}WebhookConfiguration","metadata":{"name":"{{name}}"},
             "webhooks":[{"name":"{{name}}.weft.test","sideEffects":"None","admissionReviewVersions":["v1"],{{more}}
             "clientConfig":{"url":"{{_webhook.Url}}{{path}}","caBundle":"{{_webhook.Bundle}}"},
             "rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}]}]}
            """);
        Assert.True(code == HttpStatusCode.Created, why.ToJsonString());
    }

    private static string Map(string name) => $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"}}""";

    private static JsonObject Patch(JsonNode review, string patch) => Respond(review, new JsonObject
    {
        ["allowed"] = true,
        ["patchType"] = "JSONPatch",
        ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)),
    });

    private static JsonObject Allow(JsonNode review, bool allowed, string why, string? warning = null) => Respond(review, new JsonObject
    {
        ["allowed"] = allowed,
        ["status"] = new JsonObject { ["message"] = why },
        ["warnings"] = warning is null ? null : new JsonArray(warning),
    });

    private static JsonObject Respond(JsonNode review, JsonObject response)
    {
        response["uid"] = (string)review["request"]!["uid"]!;
        return new JsonObject { ["apiVersion"] = "admission.k8s.io/v1", ["kind"] = "AdmissionReview", ["response"] = response };
    }

    /// <summary>A webhook of our own on a loopback port, with a certificate of its own authority.</summary>
    private sealed class Webhook : IAsyncDisposable
    {
        private WebApplication? _application;

        public Func<string, JsonNode, JsonObject> Answer { get; set; } = (_, review) => Allow(review, true, "");

        public List<string> Asked { get; } = [];

        public string Url { get; private set; } = "";

        public string Bundle { get; private init; } = "";

        public static async Task<Webhook> StartAsync(IPAddress? address = null, string? name = null)
        {
            var now = TimeProvider.System.GetUtcNow();
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            names.AddDnsName(name ?? "localhost");
            request.CertificateExtensions.Add(names.Build());
            var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1));
            var webhook = new Webhook { Bundle = Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem())) };
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address ?? IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
            webhook._application = builder.Build();
            ((IApplicationBuilder)webhook._application).Run(webhook.HandleAsync);
            await webhook._application.StartAsync();
            webhook.Url = webhook._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return webhook;
        }

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _application, null) is { } application)
            {
                await application.StopAsync();
                await application.DisposeAsync();
            }
        }

        private async Task HandleAsync(HttpContext context)
        {
            var review = (await JsonNode.ParseAsync(context.Request.Body))!;
            Asked.Add($"{context.Request.Path} {review["request"]!["operation"]} {review["request"]!["name"]}");
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(Answer(context.Request.Path, review).ToJsonString());
        }
    }
}
