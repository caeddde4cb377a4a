// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Security;

/// <summary>Finds out who sent a request: the plain socket's owner, a client certificate, or a bearer token.</summary>
internal sealed class Authenticator(TokenAuthority tokens, BootstrapTokens bootstrap, ServingAuthority authority)
{
    private const string Scheme = "Bearer ";

    public UserIdentity Identify(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            var token = header[Scheme.Length..].Trim();
            return (BootstrapTokens.IsOne(token) ? bootstrap.Identify(token) : tokens.Check(token, [TokenAuthority.DefaultAudience], out _)?.User)
                ?? throw Unauthorized();
        }

        if (!context.Request.IsHttps)
        {
            return UserIdentity.Administrator;
        }

        if (context.Connection.ClientCertificate is { } certificate)
        {
            return authority.Identify(certificate) ?? throw Unauthorized();
        }

        return UserIdentity.Anonymous;
    }

    private static ApiException Unauthorized() => new(401, "Unauthorized", "Unauthorized");
}
