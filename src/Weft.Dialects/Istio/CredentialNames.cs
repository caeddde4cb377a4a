// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>credentialName: a Secret, by its name or with <c>kubernetes://</c> before it, → the name that SDS serves it by.</summary>
internal static class CredentialNames
{
    /// <summary>Empty, with a finding, if it is none.</summary>
    public static string Read(Field field)
    {
        if (field.AsText() is not { } text)
        {
            return "";
        }

        var name = text.StartsWith(SecretNames.Scheme, StringComparison.Ordinal) ? text[SecretNames.Scheme.Length..] : text;
        if (NameRules.SubdomainProblem(name) is { } problem)
        {
            field.Report(IstioMessages.BadCredentialName, text, problem);
            return "";
        }

        return SecretNames.Key(name);
    }
}
