// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Dialects.Istio;

/// <summary>headers: {request, response}: {set, add, remove}.</summary>
internal static class HeaderOperations
{
    public static RouteHeaders Read(ObjectReader owner)
    {
        if (owner.Child("headers") is not { } headers)
        {
            return RouteHeaders.None;
        }

        string? authority = null;
        var request = HeaderOperationsPlan.None;
        if (headers.Child("request") is { } onRequest)
        {
            var added = Values(onRequest, "add", ref authority);

            // Setting beats adding.
            var set = Values(onRequest, "set", ref authority);
            request = new HeaderOperationsPlan(set, added, Removed(onRequest));
            onRequest.Finish();
        }

        var response = HeaderOperationsPlan.None;
        if (headers.Child("response") is { } onResponse)
        {
            string? none = null;
            response = new HeaderOperationsPlan(
                Values(onResponse, "set", ref none), Values(onResponse, "add", ref none), Removed(onResponse));
            onResponse.Finish();
        }

        headers.Finish();
        return new RouteHeaders(request, response, authority);
    }

    private static EquatableArray<HeaderPlan> Values(ObjectReader operations, string field, ref string? authority)
    {
        var headers = new List<HeaderPlan>();
        foreach (var (written, value) in operations.Map(field).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var name = written.ToLowerInvariant();
            if (value.AsText() is not { } text)
            {
                continue;
            }

            if (HeaderNames.ValueProblem(text) is { } problem)
            {
                value.Report(IstioMessages.BadHeaderValue, text, written, problem);
            }

            if (name is "host" or ":authority")
            {
                authority = text;
            }
            else if (!HeaderNames.IsToken(name))
            {
                operations.Findings.Add(IstioMessages.BadHeaderName, value.KeyPlace, written);
            }
            else
            {
                headers.Add(new HeaderPlan(name, text));
            }
        }

        return [.. headers];
    }

    private static EquatableArray<string> Removed(ObjectReader operations)
    {
        var names = new List<string>();
        foreach (var (written, field) in operations.Texts("remove"))
        {
            var name = written.ToLowerInvariant();
            if (name.StartsWith(':') || name is "host" || name.StartsWith("x-envoy-", StringComparison.Ordinal))
            {
                field.Report(IstioMessages.ProtectedHeader, written);
            }
            else if (!HeaderNames.IsToken(name))
            {
                field.Report(IstioMessages.BadHeaderName, written);
            }
            else
            {
                names.Add(name);
            }
        }

        return [.. names];
    }
}
