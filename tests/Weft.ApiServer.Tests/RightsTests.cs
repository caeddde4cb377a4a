// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Testing;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>Roles and bindings, asked as other users by impersonation.</summary>
public sealed class RightsTests : IAsyncLifetime
{
    private const string Rights = "/apis/rbac.authorization.k8s.io/v1";
    private const string Pods = "/api/v1/namespaces/default/pods";

    private TestServer _server = null!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_role_allows_what_it_names_where_it_is_bound_and_nothing_else()
    {
        await RoleAsync("reader", """[{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]""");
        await BindAsync("reader", "User", "bob");
        Assert.Equal(HttpStatusCode.OK, (await AsAsync("bob", HttpMethod.Get, Pods)).Code);
        var (code, body) = await AsAsync("bob", HttpMethod.Get, "/api/v1/namespaces/kube-system/pods");
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Equal(
            "pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \"\" in the namespace \"kube-system\"",
            (string)body["message"]!);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Get, Pods + "?watch=true")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("eve", HttpMethod.Get, Pods)).Code);
        await _server.SendAsync(HttpMethod.Delete, Rights + "/namespaces/default/rolebindings/reader", null);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Get, Pods)).Code);
    }

    [Fact]
    public async Task Names_and_subresources_and_groups_are_told_apart()
    {
        await RoleAsync("one", """[{"apiGroups":[""],"resources":["configmaps"],"resourceNames":["mine"],"verbs":["*"]},{"apiGroups":[""],"resources":["pods/log"],"verbs":["get"]}]""");
        await BindAsync("one", "Group", "devs");
        const string Maps = "/api/v1/namespaces/default/configmaps";
        await _server.PostAsync(Maps, """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"mine"}}""");
        Assert.Equal(HttpStatusCode.OK, (await AsAsync("bob", HttpMethod.Get, Maps + "/mine", "devs")).Code);
        Assert.Equal(HttpStatusCode.OK, (await AsAsync("bob", HttpMethod.Get, Maps + "?fieldSelector=metadata.name%3Dmine", "devs")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Get, Maps, "devs")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Get, Pods + "/p", "devs")).Code);
        Assert.Equal(HttpStatusCode.NotFound, (await AsAsync("bob", HttpMethod.Get, Pods + "/p/log", "devs")).Code);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Get, Maps + "/mine")).Code);
    }

    [Fact]
    public async Task Nobody_grants_what_they_do_not_hold()
    {
        await _server.PostAsync(Rights + "/clusterrolebindings", Binding("ClusterRoleBinding", "adm", "ClusterRole", "admin", "User", "bob"));
        const string Wide = """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"w"},"rules":[{"apiGroups":[""],"resources":["nodes"],"verbs":["get"]}]}""";
        var (code, body) = await AsAsync("bob", HttpMethod.Post, Rights + "/namespaces/default/roles", null, Wide);
        Assert.Equal(HttpStatusCode.Forbidden, code);
        Assert.Contains("{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\"]}", (string)body["message"]!, StringComparison.Ordinal);
        var root = Binding("RoleBinding", "root", "ClusterRole", "cluster-admin", "User", "bob");
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Post, Rights + "/namespaces/default/rolebindings", null, root)).Code);
        var view = Binding("RoleBinding", "v", "ClusterRole", "view", "User", "eve");
        Assert.Equal(HttpStatusCode.Created, (await AsAsync("bob", HttpMethod.Post, Rights + "/namespaces/default/rolebindings", null, view)).Code);
    }

    [Fact]
    public async Task A_cluster_role_collects_the_rules_of_those_that_carry_its_label()
    {
        await _server.PostAsync(Rights + "/clusterroles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"extra","labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}},"rules":[{"apiGroups":["x.test"],"resources":["things"],"verbs":["get"]}]}""");
        await Eventually.HoldsAsync("admin has the rule", async () =>
        {
            var (_, admin) = await _server.GetAsync(Rights + "/clusterroles/admin");
            return admin["rules"]!.ToJsonString().Contains("x.test", StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Reviews_answer_for_oneself_and_for_others()
    {
        await RoleAsync("reader", """[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]""");
        await BindAsync("reader", "User", "bob");
        const string Self = """{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"get","resource":"pods","namespace":"default"}}}""";
        var (_, self) = await AsAsync("bob", HttpMethod.Post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", null, Self);
        Assert.True((bool)self["status"]!["allowed"]!);
        Assert.Contains("RoleBinding \"reader/default\"", (string)self["status"]!["reason"]!, StringComparison.Ordinal);
        const string Other = """{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"eve","resourceAttributes":{"verb":"get","resource":"pods","namespace":"default"}}}""";
        var (_, other) = await _server.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", Other);
        Assert.False((bool)other["status"]!["allowed"]!);
        Assert.Equal(HttpStatusCode.Forbidden, (await AsAsync("bob", HttpMethod.Post, "/apis/authorization.k8s.io/v1/subjectaccessreviews", null, Other)).Code);
    }

    [Fact]
    public async Task Acting_as_somebody_else_is_a_right_of_its_own()
    {
        var (_, issued) = await _server.PostAsync("/api/v1/namespaces/default/serviceaccounts/default/token", """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""");
        using var client = _server.TlsClient(null, out var handler);
        using var held = handler;
        using var request = new HttpRequestMessage(HttpMethod.Get, Pods);
        request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", (string)issued["status"]!["token"]!);
        request.Headers.Add("Impersonate-User", "root");
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("cannot impersonate resource \\\"users\\\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task RoleAsync(string name, string rules) => await _server.PostAsync(
        Rights + "/namespaces/default/roles",
        $$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"{{name}}"},"rules":{{rules}}}""");

    private async Task BindAsync(string role, string kind, string name) => await _server.PostAsync(
        Rights + "/namespaces/default/rolebindings", Binding("RoleBinding", role, "Role", role, kind, name));

    private static string Binding(string kind, string name, string roleKind, string role, string subjectKind, string subject) =>
        $$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"{{kind}}","metadata":{"name":"{{name}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{roleKind}}","name":"{{role}}"},"subjects":[{"kind":"{{subjectKind}}","name":"{{subject}}"}]}""";

    private async Task<(HttpStatusCode Code, JsonNode Body)> AsAsync(
        string user, HttpMethod method, string path, string? group = null, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Impersonate-User", user);
        if (group is not null)
        {
            request.Headers.Add("Impersonate-Group", group);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using var answer = await _server.SendRawAsync(request);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }
}
