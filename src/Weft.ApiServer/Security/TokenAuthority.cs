// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Security;

/// <summary>Signs tokens of service accounts (JWT, ES256) and checks them against what is stored now.</summary>
internal sealed class TokenAuthority : IDisposable
{
    public const string DefaultAudience = "https://kubernetes.default.svc.cluster.local";

    public const string Algorithm = "ES256";

    private const string SubjectPrefix = "system:serviceaccount:";
    private const string PrivateClaim = "kubernetes.io";

    private readonly ECDsa _key;
    private readonly ObjectStore _store;
    private readonly TimeProvider _clock;
    private readonly string _keyId;
    private readonly string _header;

    public TokenAuthority(string keyFile, ObjectStore store, TimeProvider clock)
    {
        _store = store;
        _clock = clock;
        _key = PrivateFile.LoadOrCreateKey(keyFile);
        _keyId = Base64Url.EncodeToString(SHA256.HashData(_key.ExportSubjectPublicKeyInfo()));
        _header = Encode(new JsonObject { ["alg"] = Algorithm, ["kid"] = _keyId, ["typ"] = "JWT" });
    }

    public string Issue(StoredObject account, TokenBinding? binding, IReadOnlyList<string> audiences, TimeSpan? life)
    {
        var now = _clock.GetUtcNow();
        var bound = new JsonObject
        {
            ["namespace"] = account.Key.Namespace,
            ["serviceaccount"] = new JsonObject { ["name"] = account.Key.Name, ["uid"] = account.Uid },
        };
        if (binding is not null)
        {
            bound[binding.Kind] = new JsonObject { ["name"] = binding.Name, ["uid"] = binding.Uid };
        }

        var claims = new JsonObject
        {
            ["aud"] = new JsonArray([.. audiences.Select(item => (JsonNode?)JsonValue.Create(item))]),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["iss"] = DefaultAudience,
            ["jti"] = Guid.NewGuid().ToString(),
            [PrivateClaim] = bound,
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["sub"] = SubjectPrefix + account.Key.Namespace + ":" + account.Key.Name,
        };
        if (life is { } span)
        {
            claims["exp"] = (now + span).ToUnixTimeSeconds();
        }

        var signed = _header + "." + Encode(claims);
        var signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return signed + "." + Base64Url.EncodeToString(signature);
    }

    /// <summary>The key that signatures are checked with, as a JSON web key.</summary>
    public JsonObject PublicKey()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["use"] = "sig",
            ["kty"] = "EC",
            ["kid"] = _keyId,
            ["crv"] = "P-256",
            ["alg"] = Algorithm,
            ["x"] = Base64Url.EncodeToString(point.X),
            ["y"] = Base64Url.EncodeToString(point.Y),
        };
    }

    /// <summary>The token's subject, or null and why it is refused.</summary>
    public TokenSubject? Check(string token, IReadOnlyList<string> wantedAudiences, out string problem)
    {
        var claims = Verify(token);
        if (claims is null)
        {
            problem = "invalid bearer token";
            return null;
        }

        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        if (claims.Number("exp") <= now || claims.Number("nbf") > now)
        {
            problem = "service account token has expired";
            return null;
        }

        var audiences = (claims["aud"] as JsonArray ?? []).Select(item => item.Text() ?? "").ToList();
        var common = audiences.Where(item => wantedAudiences.Contains(item, StringComparer.Ordinal)).ToList();
        if (common.Count == 0)
        {
            problem = $"token audiences [{string.Join(' ', audiences)}] is invalid for the target audiences " +
                $"[{string.Join(' ', wantedAudiences)}]";
            return null;
        }

        return Subject(claims, common, out problem);
    }

    public void Dispose() => _key.Dispose();

    private TokenSubject? Subject(JsonObject claims, List<string> audiences, out string problem)
    {
        var ns = claims.At(PrivateClaim, "namespace").Text() ?? "";
        var name = claims.At(PrivateClaim, "serviceaccount", "name").Text() ?? "";
        var uid = claims.At(PrivateClaim, "serviceaccount", "uid").Text() ?? "";
        var account = _store.Find("serviceaccounts", ns, name);
        if (account is null || !string.Equals(account.Uid, uid, StringComparison.Ordinal))
        {
            problem = $"the service account {ns}/{name} of the token is gone";
            return null;
        }

        var extra = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (claims.Text("jti") is { } id)
        {
            extra["authentication.kubernetes.io/credential-id"] = ["JTI=" + id];
        }

        if (claims.At(PrivateClaim, "pod") is JsonObject pod)
        {
            var podName = pod.Text("name") ?? "";
            var found = _store.Find("pods", ns, podName);
            if (found is null || !string.Equals(found.Uid, pod.Text("uid"), StringComparison.Ordinal))
            {
                problem = $"the pod {ns}/{podName} that the token is bound to is gone";
                return null;
            }

            extra["authentication.kubernetes.io/pod-name"] = [podName];
            extra["authentication.kubernetes.io/pod-uid"] = [pod.Text("uid") ?? ""];
        }

        if (claims.At(PrivateClaim, "secret") is JsonObject secret
            && _store.Find("secrets", ns, secret.Text("name") ?? "")?.Uid != secret.Text("uid"))
        {
            problem = $"the secret {ns}/{secret.Text("name")} that the token is bound to is gone";
            return null;
        }

        problem = "";
        var user = new UserIdentity(
            SubjectPrefix + ns + ":" + name,
            uid,
            ["system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"])
        {
            Extra = extra,
        };
        return new TokenSubject(user, audiences);
    }

    private JsonObject? Verify(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3 || !string.Equals(parts[0], _header, StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            var signed = Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]);
            var signature = Base64Url.DecodeFromChars(parts[2]);
            return _key.VerifyData(signed, signature, HashAlgorithmName.SHA256)
                ? JsonText.ParseTrusted(Base64Url.DecodeFromChars(parts[1]))
                : null;
        }
        catch (Exception problem) when (problem is FormatException or JsonException or CryptographicException)
        {
            return null;
        }
    }

    private static string Encode(JsonObject tree) => Base64Url.EncodeToString(JsonText.Bytes(tree));
}

/// <summary>The object that a token lives and dies with.</summary>
internal sealed record TokenBinding(string Kind, string Name, string Uid);

/// <summary>Who a token speaks for, and for whom it is meant.</summary>
internal sealed record TokenSubject(UserIdentity User, IReadOnlyList<string> Audiences);
