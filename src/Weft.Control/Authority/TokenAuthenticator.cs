// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Model.Identity;

namespace Weft.Control.Authority;

/// <summary>Asks the API who a bearer token belongs to (TokenReview), and remembers the answer for a short while.</summary>
public sealed class TokenAuthenticator(KubernetesClient client, string trustDomain, TimeProvider time)
{
    /// <summary>The audience that tokens for the mesh are made for.</summary>
    public const string Audience = "istio-ca";

    /// <summary>A token of the API is about 1 kB.</summary>
    public const int MaxTokenChars = 16 * 1024;

    /// <summary>Answers kept at once.</summary>
    public const int MaxRemembered = 10_000;

    private const string AccountPrefix = "system:serviceaccount:";
    private static readonly TimeSpan _goodFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _badFor = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, (DateTimeOffset Until, AuthenticationResult Result)> _remembered = new();

    /// <summary>Never throws for a bad token; throws what the client throws when the API cannot be asked.</summary>
    public async Task<AuthenticationResult> AuthenticateAsync(string? authorization, CancellationToken cancellation)
    {
        const string Scheme = "Bearer ";
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new(null, "The call has no bearer token in its 'authorization' metadata.");
        }

        var token = authorization[Scheme.Length..].Trim();
        if (token.Length is 0 or > MaxTokenChars)
        {
            return new(null, $"The bearer token is empty or longer than {MaxTokenChars} characters.");
        }

        // Tokens themselves are not kept in memory.
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        var now = time.GetUtcNow();
        if (_remembered.TryGetValue(key, out var known) && known.Until > now)
        {
            return known.Result;
        }

        var result = await ReviewAsync(token, cancellation);
        Remember(key, now + (result.Caller is null ? _badFor : _goodFor), result, now);
        return result;
    }

    private async Task<AuthenticationResult> ReviewAsync(string token, CancellationToken cancellation)
    {
        var review = await client.CreateAsync(
            Kinds.TokenReview,
            null,
            new JsonObject
            {
                ["apiVersion"] = Kinds.TokenReview.ApiVersion,
                ["kind"] = Kinds.TokenReview.Kind,
                ["spec"] = new JsonObject { ["token"] = token, ["audiences"] = new JsonArray(Audience) },
            },
            cancellation);
        if (review.Flag("status", "authenticated") != true)
        {
            return new(null, $"The API does not accept the token: {review.Text("status", "error") ?? "it gave no reason"}.");
        }

        // An API that does not know audiences answers none; then it has not checked ours.
        if (!review.Texts("status", "audiences").Contains(Audience))
        {
            return new(null, $"The token is not for the audience '{Audience}'.");
        }

        var user = review.Text("status", "user", "username") ?? "";
        var parts = user.StartsWith(AccountPrefix, StringComparison.Ordinal) ? user[AccountPrefix.Length..].Split(':') : [];
        if (parts is not [{ Length: > 0 } ns, { Length: > 0 } account])
        {
            return new(null, $"The token belongs to '{user}', which is no service account.");
        }

        return new(
            new CallerIdentity(
                new SpiffeId(trustDomain, ns, account),
                Extra(review, "authentication.kubernetes.io/pod-name"),
                Extra(review, "authentication.kubernetes.io/pod-uid")),
            "");
    }

    private static string Extra(JsonObject review, string key) =>
        review.Texts("status", "user", "extra", key).FirstOrDefault() ?? "";

    private void Remember(string key, DateTimeOffset until, AuthenticationResult result, DateTimeOffset now)
    {
        if (_remembered.Count >= MaxRemembered)
        {
            foreach (var (old, entry) in _remembered)
            {
                if (entry.Until <= now)
                {
                    _remembered.TryRemove(old, out _);
                }
            }

            if (_remembered.Count >= MaxRemembered)
            {
                // A flood of different tokens: forget all rather than grow; each is asked for again.
                _remembered.Clear();
            }
        }

        _remembered[key] = (until, result);
    }
}

/// <summary>The caller, or why there is none.</summary>
public sealed record AuthenticationResult(CallerIdentity? Caller, string Refusal);
