// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;

namespace Weft.ApiServer.Security;

/// <summary>Who asks, as whom, and whether they may.</summary>
internal sealed class Gate(Authenticator authenticator, RightsBook rights)
{
    public Authorization Authorization { get; } = new(rights);

    public UserIdentity Identify(HttpContext context) =>
        new Impersonation(Authorization).Apply(context, authenticator.Identify(context));
}
