// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Families of services on a cluster that has both, and what such services may become.</summary>
public sealed class ServiceFamilyTests : IAsyncLifetime
{
    private const string Services = "/api/v1/namespaces/default/services";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync(adapt: options => options with { SecondServiceNetwork = ApiServerOptions.Version6 });

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("", "SingleStack IPv4 4")]
    [InlineData("\"ipFamilies\":[\"IPv6\"],", "SingleStack IPv6 6")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",", "PreferDualStack IPv4,IPv6 4,6")]
    [InlineData("\"ipFamilyPolicy\":\"RequireDualStack\",", "RequireDualStack IPv4,IPv6 4,6")]
    [InlineData("\"ipFamilyPolicy\":\"RequireDualStack\",\"ipFamilies\":[\"IPv6\"],", "RequireDualStack IPv6,IPv4 6,4")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",\"ipFamilies\":[\"IPv6\",\"IPv4\"],", "PreferDualStack IPv6,IPv4 6,4")]
    [InlineData("\"clusterIP\":\"fd00:10:96::77\",", "SingleStack IPv6 6")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",\"clusterIP\":\"fd00:10:96::77\",", "PreferDualStack IPv6,IPv4 6,4")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",\"clusterIP\":\"10.96.7.7\",\"clusterIPs\":[\"10.96.7.7\",\"fd00:10:96::77\"],", "PreferDualStack IPv4,IPv6 4,6")]
    [InlineData("\"clusterIP\":\"None\",", "SingleStack IPv4 None")]
    [InlineData("\"clusterIP\":\"None\",\"ipFamilyPolicy\":\"PreferDualStack\",\"selector\":{\"a\":\"b\"},", "PreferDualStack IPv4,IPv6 None")]
    [InlineData("\"type\":\"NodePort\",\"ipFamilyPolicy\":\"PreferDualStack\",", "PreferDualStack IPv4,IPv6 4,6")]
    public async Task A_service_gets_the_families_that_it_asks_for(string spec, string result)
    {
        var (_, made) = await _server.PostAsync(Services, Service("s", spec));
        Assert.Equal(result, Show(made));
        Assert.Equal((string?)made["spec"]!["clusterIPs"]![0], (string?)made["spec"]!["clusterIP"]);
    }

    [Theory]
    [InlineData("\"ipFamilies\":[\"IPv4\",\"IPv6\"],", "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified")]
    [InlineData("\"clusterIP\":\"10.96.7.7\",\"clusterIPs\":[\"10.96.7.7\",\"fd00:10:96::77\"],", "must be RequireDualStack or PreferDualStack when multiple 'clusterIPs' are specified")]
    [InlineData("\"ipFamilies\":[\"IPv5\"],", "spec.ipFamilies[0]: Unsupported value: \"IPv5\": supported values: \"IPv4\", \"IPv6\"")]
    [InlineData("\"ipFamilyPolicy\":\"Both\",", "spec.ipFamilyPolicy: Unsupported value: \"Both\": supported values: \"PreferDualStack\", \"RequireDualStack\", \"SingleStack\"")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",\"ipFamilies\":[\"IPv6\",\"IPv6\"],", "spec.ipFamilies[1]: Duplicate value: \"IPv6\"")]
    [InlineData("\"ipFamilies\":[\"IPv6\"],\"clusterIP\":\"10.96.7.7\",", "spec.clusterIPs[0]: Invalid value: \"10.96.7.7\": expected an IPv6 value as indicated by `ipFamilies[0]`")]
    [InlineData("\"clusterIP\":\"10.96.7.7\",\"clusterIPs\":[\"10.96.7.8\"],", "spec.clusterIPs: Invalid value: []string{\"10.96.7.8\"}: first value must match `clusterIP`")]
    [InlineData("\"clusterIPs\":[\"10.96.7.8\"],", "must be empty when `clusterIP` is not specified")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",\"clusterIP\":\"10.96.7.7\",\"clusterIPs\":[\"10.96.7.7\",\"10.96.7.8\"],", "may specify no more than one IP for each IP family")]
    [InlineData("\"clusterIP\":\"nowhere\",", "spec.clusterIPs[0]: Invalid value: \"nowhere\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    [InlineData("\"clusterIP\":\"fd00:1::1\",", "spec.clusterIPs: Invalid value: []string{\"fd00:1::1\"}: failed to allocate IP fd00:1::1: the provided IP (fd00:1::1) is not in the valid range. The range of valid IPs is fd00:10:96::/112")]
    public async Task What_contradicts_itself_is_refused(string spec, string message)
    {
        var (code, status) = await _server.PostAsync(Services, Service("s", spec));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains(message, (string)status["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", """{"ipFamilyPolicy":"PreferDualStack"}""", "PreferDualStack IPv4,IPv6 4,6")]
    [InlineData("\"ipFamilies\":[\"IPv6\"],", """{"ipFamilyPolicy":"RequireDualStack"}""", "RequireDualStack IPv6,IPv4 6,4")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",", """{"ipFamilyPolicy":"SingleStack"}""", "SingleStack IPv4 4")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",", """{"sessionAffinity":"ClientIP"}""", "PreferDualStack IPv4,IPv6 4,6")]
    [InlineData("", """{"ipFamilies":["IPv4","IPv6"],"ipFamilyPolicy":"PreferDualStack"}""", "PreferDualStack IPv4,IPv6 4,6")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",", """{"type":"ExternalName","externalName":"a.example"}""", "  ")]
    public async Task A_service_may_get_and_give_up_its_second_family(string spec, string change, string result)
    {
        var (_, made) = await _server.PostAsync(Services, Service("s", spec));
        var (code, changed) = await ChangeAsync(change);
        Assert.True(code == HttpStatusCode.OK, changed.ToJsonString());
        Assert.Equal(result, Show(changed));
        if (result != "  ")
        {
            Assert.Equal((string?)made["spec"]!["clusterIP"], (string?)changed["spec"]!["clusterIP"]);
        }
    }

    [Theory]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",", """{"ipFamilies":["IPv4"]}""", "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary ipFamily")]
    [InlineData("\"ipFamilyPolicy\":\"PreferDualStack\",", """{"ipFamilies":["IPv6","IPv4"]}""", "expected an IPv6 value as indicated by `ipFamilies[0]`")]
    [InlineData("", """{"ipFamilies":["IPv6"]}""", "expected an IPv6 value as indicated by `ipFamilies[0]`")]
    [InlineData("", """{"ipFamilies":["IPv4","IPv6"]}""", "must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified")]
    [InlineData("", """{"clusterIP":"10.96.250.250"}""", "spec.clusterIPs[0]: Invalid value: []string{\"10.96.250.250\"}: may not change once set")]
    public async Task A_service_keeps_its_first_family_and_its_addresses(string spec, string change, string message)
    {
        await _server.PostAsync(Services, Service("s", spec));
        var (code, status) = await ChangeAsync(change);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains(message, (string)status["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_comes_back_as_it_was_written_first_keeps_both_addresses()
    {
        var (_, made) = await _server.PostAsync(Services, Service("s", "\"ipFamilyPolicy\":\"PreferDualStack\","));
        var (code, same) = await _server.SendAsync(
            HttpMethod.Put, Services + "/s", Service("s", "").Replace("\"name\":\"s\"", $"\"name\":\"s\",\"resourceVersion\":\"{made["metadata"]!["resourceVersion"]}\"", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.True(JsonNode.DeepEquals(made["spec"], same["spec"]), same["spec"]!.ToJsonString());
    }

    [Fact]
    public async Task Addresses_of_version_6_are_given_once()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 20; i++)
        {
            var (_, made) = await _server.PostAsync(Services, Service($"s{i}", "\"ipFamilies\":[\"IPv6\"],"));
            var address = (string)made["spec"]!["clusterIP"]!;
            Assert.True(seen.Add(address), address);
            Assert.True(ApiServerOptions.Version6.Contains(IPAddress.Parse(address)));
        }

        var (code, why) = await _server.PostAsync(Services, Service("t", $"\"clusterIP\":\"{seen.First()}\","));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, code);
        Assert.Contains("provided IP is already allocated", (string)why["message"]!, StringComparison.Ordinal);
    }

    private static string Service(string name, string spec) =>
        $$$"""{"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}"},"spec":{{{{spec}}}"ports":[{"port":80}]}}""";

    private static string Show(JsonNode service)
    {
        var spec = service["spec"]!;
        var addresses = (spec["clusterIPs"] as JsonArray ?? []).Select(each => (string)each! is "None" ? "None" : ((string)each!).Contains(':', StringComparison.Ordinal) ? "6" : "4");
        return $"{spec["ipFamilyPolicy"]} {string.Join(',', (spec["ipFamilies"] as JsonArray ?? []).Select(each => (string)each!))} {string.Join(',', addresses)}";
    }

    private Task<(HttpStatusCode Code, JsonNode Body)> ChangeAsync(string spec) =>
        _server.SendAsync(HttpMethod.Patch, Services + "/s", $$"""{"spec":{{spec}}}""", "application/merge-patch+json");
}
