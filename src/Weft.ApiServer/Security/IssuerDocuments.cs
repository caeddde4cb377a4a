// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.ApiServer.Security;

/// <summary>What others need to check tokens of service accounts themselves: who issues them, and the public key (OpenID Connect discovery).</summary>
internal static class IssuerDocuments
{
    public const string KeysPath = "/openid/v1/jwks";

    public static JsonObject Configuration(string? externalUrl) => new()
    {
        ["issuer"] = TokenAuthority.DefaultAudience,
        ["jwks_uri"] = (externalUrl ?? TokenAuthority.DefaultAudience).TrimEnd('/') + KeysPath,
        ["response_types_supported"] = new JsonArray("id_token"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray(TokenAuthority.Algorithm),
    };

    public static JsonObject Keys(TokenAuthority tokens) => new() { ["keys"] = new JsonArray(tokens.PublicKey()) };
}
