// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Control.Authority;
using Weft.Kubernetes;
using Weft.Testing;
using FakeApi = Weft.Kubernetes.Tests.Fakes.FakeApi;

namespace Weft.Control.Tests.Authority;

public sealed class TokenAuthenticatorTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private FakeApi _api = null!;
    private KubernetesClient _client = null!;
    private TokenAuthenticator _authenticator = null!;

    public async Task InitializeAsync()
    {
        _api = await FakeApi.StartAsync();
        _client = new KubernetesClient(_api.Endpoint);
        _authenticator = new TokenAuthenticator(_client, "mesh.example", _clock);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Fact]
    public async Task A_pods_token_names_its_service_account_and_pod()
    {
        _api.ReviewToken = _ => Accepted("system:serviceaccount:shop:web");
        var result = await AskAsync("Bearer good");
        Assert.Equal("spiffe://mesh.example/ns/shop/sa/web", result.Caller!.Id.ToString());
        Assert.Equal(("web-1", "u-1"), (result.Caller.Pod, result.Caller.PodUid));
    }

    [Theory]
    [InlineData(null, "no bearer token")]
    [InlineData("Basic abc", "no bearer token")]
    [InlineData("Bearer ", "empty or longer")]
    public async Task What_is_no_token_is_not_even_asked_about(string? authorization, string reason)
    {
        var result = await AskAsync(authorization);
        Assert.Null(result.Caller);
        Assert.Contains(reason, result.Refusal, StringComparison.Ordinal);
        Assert.Empty(_api.Requests);
    }

    [Fact]
    public async Task A_token_above_the_limit_is_not_asked_about()
    {
        Assert.Null((await AskAsync($"Bearer {new string('x', TokenAuthenticator.MaxTokenChars + 1)}")).Caller);
        Assert.Empty(_api.Requests);
    }

    [Theory]
    [InlineData("system:node:weft")]
    [InlineData("system:serviceaccount:shop")]
    [InlineData("system:serviceaccount::web")]
    [InlineData("system:serviceaccount:a:b:c")]
    public async Task A_user_that_is_no_service_account_is_refused_by_name(string user)
    {
        _api.ReviewToken = _ => Accepted(user);
        var result = await AskAsync("Bearer good");
        Assert.Null(result.Caller);
        Assert.Contains(user, result.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_for_another_audience_is_refused()
    {
        var status = Accepted("system:serviceaccount:shop:web");
        status["audiences"] = new JsonArray("api");
        _api.ReviewToken = _ => status;
        Assert.Contains("istio-ca", (await AskAsync("Bearer good")).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_are_remembered_for_a_short_while()
    {
        _api.ReviewToken = _ => Accepted("system:serviceaccount:shop:web");
        await AskAsync("Bearer good");
        await AskAsync("Bearer good");
        Assert.Single(_api.Requests);

        // Revoked: in force when the memory ends, and lifted soon after it is accepted again.
        _api.ReviewToken = _ => new JsonObject { ["authenticated"] = false, ["error"] = "revoked" };
        _clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Contains("revoked", (await AskAsync("Bearer good")).Refusal, StringComparison.Ordinal);
        _api.ReviewToken = _ => Accepted("system:serviceaccount:shop:web");
        Assert.Null((await AskAsync("Bearer good")).Caller);
        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.NotNull((await AskAsync("Bearer good")).Caller);
        Assert.Equal(3, _api.Requests.Count);
    }

    [Fact]
    public async Task An_api_that_is_away_is_an_error_and_not_a_refusal()
    {
        _api.FailNext("/apis/authentication.k8s.io", 503);
        await Assert.ThrowsAsync<KubernetesException>(() => AskAsync("Bearer good"));
        _api.ReviewToken = _ => Accepted("system:serviceaccount:shop:web");
        Assert.NotNull((await AskAsync("Bearer good")).Caller);
    }

    private static JsonObject Accepted(string user) => new()
    {
        ["authenticated"] = true,
        ["audiences"] = new JsonArray("istio-ca"),
        ["user"] = new JsonObject
        {
            ["username"] = user,
            ["extra"] = new JsonObject
            {
                ["authentication.kubernetes.io/pod-name"] = new JsonArray("web-1"),
                ["authentication.kubernetes.io/pod-uid"] = new JsonArray("u-1"),
            },
        },
    };

    private Task<AuthenticationResult> AskAsync(string? authorization) => _authenticator.AuthenticateAsync(authorization, CancellationToken.None);
}
