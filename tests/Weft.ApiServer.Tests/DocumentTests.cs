// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Dialects.Yaml;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>What is no object: the documents that clients keep, the issuer's keys, the list of served groups; and the forms of bodies.</summary>
public sealed class DocumentTests : IAsyncLifetime
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync(adapt: options => options with { ReadYaml = ReadYaml });

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")]
    [InlineData("/openapi/v2", "application/json")]
    [InlineData("/openapi/v3", "application/json")]
    [InlineData("/openapi/v3/apis/apps/v1", "application/json")]
    public async Task Who_has_a_document_already_is_told_so(string path, string accept)
    {
        using var first = await GetAsync(path, accept, null);
        var tag = Assert.Single(first.Headers.GetValues("ETag"));
        using var second = await GetAsync(path, accept, tag);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        using var other = await GetAsync(path, accept, "\"0\"");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task The_address_of_a_schema_names_its_hash_and_an_old_hash_leads_to_the_new_one()
    {
        var (_, index) = await _server.GetAsync("/openapi/v3");
        var address = (string)index["paths"]!["apis/apps/v1"]!["serverRelativeURL"]!;
        using var found = await GetAsync(address, "application/json", null);
        Assert.Equal($"\"{address.Split("hash=")[1]}\"", Assert.Single(found.Headers.GetValues("ETag")));
        using var old = await GetAsync("/openapi/v3/apis/apps/v1?hash=OLD", "application/json", null);
        Assert.Equal((HttpStatusCode.MovedPermanently, address), (old.StatusCode, old.Headers.Location!.ToString()));
    }

    [Fact]
    public async Task A_token_can_be_checked_with_the_published_key()
    {
        var (_, configuration) = await _server.GetAsync("/.well-known/openid-configuration");
        var (_, keys) = await _server.GetAsync(new Uri((string)configuration["jwks_uri"]!).AbsolutePath);
        var (_, issued) = await _server.PostAsync(
            "/api/v1/namespaces/default/serviceaccounts/default/token",
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""");
        var parts = ((string)issued["status"]!["token"]!).Split('.');
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!;
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        var key = Assert.Single(keys["keys"]!.AsArray())!;
        Assert.Equal((string)header["kid"]!, (string)key["kid"]!);
        Assert.Equal((string)configuration["issuer"]!, (string)claims["iss"]!);
        using var point = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Base64Url.DecodeFromChars((string)key["x"]!), Y = Base64Url.DecodeFromChars((string)key["y"]!) },
        });
        Assert.True(point.VerifyData(
            Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256));
    }

    [Fact]
    public async Task Every_served_group_is_an_APIService_of_this_server_and_none_leads_elsewhere()
    {
        const string Services = "/apis/apiregistration.k8s.io/v1/apiservices";
        var (_, list) = await _server.GetAsync(Services);
        var names = list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!).ToList();
        Assert.Contains("v1.", names);
        Assert.Contains("v2.autoscaling", names);
        Assert.All(list["items"]!.AsArray(), item => Assert.Equal("Local", (string)item!["status"]!["conditions"]![0]!["reason"]!));
        var (code, why) = await _server.PostAsync(
            Services,
            """
            {"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1beta1.far.example.com"},
             "spec":{"group":"far.example.com","version":"v1beta1","groupPriorityMinimum":100,"versionPriority":100,"service":{"namespace":"default","name":"far"}}}
            """);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("spec.service: Forbidden: this server does not pass requests on", (string)why["message"]!, StringComparison.Ordinal);
        await _server.SendAsync(HttpMethod.Delete, Services + "/v1.apps", null);
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync(Services + "/v1.apps")).Code);
    }

    [Fact]
    public async Task Bodies_may_be_YAML_and_what_is_wrong_with_one_is_said_with_its_line()
    {
        var (code, made) = await _server.SendAsync(
            HttpMethod.Post, Maps, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: typed\ndata: {a: \"1\"}\n", "application/yaml");
        Assert.True(code == HttpStatusCode.Created, made.ToJsonString());
        Assert.Equal("1", (string)made["data"]!["a"]!);
        (code, made) = await _server.SendAsync(
            HttpMethod.Patch, Maps + "/typed?fieldManager=me", "apiVersion: v1\nkind: ConfigMap\ndata:\n  b: two\n", "application/apply-patch+yaml");
        Assert.True(code == HttpStatusCode.OK, made.ToJsonString());
        Assert.Equal("two", (string)made["data"]!["b"]!);
        (code, var why) = await _server.SendAsync(HttpMethod.Post, Maps, "apiVersion: v1\nkind: [ConfigMap\n", "application/yaml");
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains("error converting YAML to JSON: yaml: line ", (string)why["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/cbor")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Other_forms_of_bodies_are_refused_and_the_known_ones_named(string type)
    {
        var (code, why) = await _server.SendAsync(HttpMethod.Post, Maps, "x", type);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, code);
        Assert.EndsWith(
            "accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf", (string)why["message"]!, StringComparison.Ordinal);
    }

    private static (JsonNode? Tree, string? Problem) ReadYaml(string text)
    {
        var document = Assert.Single(YamlReader.Read("", text));
        return document.Diagnostics is [var problem, ..]
            ? (null, $"yaml: line {problem.Origin.Position.Line}: {problem.Fact}")
            : (JsonNodes.ToJson(document.Root!), null);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string accept, string? tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (tag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        }

        return await _server.SendRawAsync(request);
    }
}
