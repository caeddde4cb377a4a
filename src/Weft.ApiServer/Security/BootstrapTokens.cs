// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Weft.ApiServer.Http;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Security;

/// <summary>Tokens that a new machine shows once: Secrets <c>kube-system/bootstrap-token-ID</c>, as kubeadm writes them.</summary>
internal sealed partial class BootstrapTokens(ObjectStore store, TimeProvider clock)
{
    /// <summary>Who showed such a token.</summary>
    public const string Group = "system:bootstrappers";

    public const string UserPrefix = "system:bootstrap:";

    private const string SecretType = "bootstrap.kubernetes.io/token";
    private const string Namespace = "kube-system";

    /// <summary>True for a text of the form of such a token, whether or not there is one.</summary>
    public static bool IsOne(string token) => Form().IsMatch(token);

    /// <summary>Who shows this token; null if there is none such, if it is over, or if it is for something else.</summary>
    public UserIdentity? Identify(string token)
    {
        var (id, secret) = (token[..6], token[7..]);
        if (Find(id)?.Parse() is not { } found
            || found.Text("type") is not SecretType
            || Value(found, "usage-bootstrap-authentication") is not "true"
            || Value(found, "token-id") != id
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Value(found, "token-secret") ?? ""), Encoding.UTF8.GetBytes(secret)))
        {
            return null;
        }

        if (Value(found, "expiration") is { } text
            && (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) || end <= clock.GetUtcNow()))
        {
            return null;
        }

        var more = (Value(found, "auth-extra-groups") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(group => group.StartsWith(Group + ":", StringComparison.Ordinal));
        return new UserIdentity(UserPrefix + id, "", [Group, .. more, "system:authenticated"]);
    }

    /// <summary>A token brings one machine in: it is gone then, and false for who comes second.</summary>
    public bool TryUse(UserIdentity user) =>
        user.Name.StartsWith(UserPrefix, StringComparison.Ordinal) && Find(user.Name[UserPrefix.Length..]) is { } token && store.TryRemove(token) is not null;

    private StoredObject? Find(string id) => store.Find("secrets", Namespace, "bootstrap-token-" + id);

    private static string? Value(System.Text.Json.Nodes.JsonObject secret, string key)
    {
        var text = secret.At("data", key).Text() ?? "";
        var bytes = new byte[text.Length];
        return text.Length > 0 && Convert.TryFromBase64String(text, bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count) : null;
    }

    [GeneratedRegex("^[a-z0-9]{6}\\.[a-z0-9]{16}$")]
    private static partial Regex Form();
}
