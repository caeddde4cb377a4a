// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Model.Plan;

namespace Weft.Compiler.Explain;

/// <summary>What a route does to a request on its way, in words.</summary>
internal static class RouteFacts
{
    private const double PpmPerPercent = 10_000;

    public static IEnumerable<Reason> Of(RoutePlan route, RequestDescription request)
    {
        foreach (var (step, fact) in Facts(route, request))
        {
            yield return new Reason(step, fact, route.Origin);
        }
    }

    private static IEnumerable<(string Step, string Fact)> Facts(RoutePlan route, RequestDescription request)
    {
        if (route.Fault is { } fault)
        {
            yield return ("fault", Fault(fault));
        }

        if (!route.RequestHeaders.IsNone)
        {
            yield return ("request headers", Headers(route.RequestHeaders));
        }

        if (!route.ResponseHeaders.IsNone)
        {
            yield return ("response headers", Headers(route.ResponseHeaders));
        }

        if (route.Forward is not { } forward)
        {
            yield return ("answer", route.Redirect is { } redirect ? Redirect(redirect) : Direct(route.Direct!));
            yield break;
        }

        if (forward.Rewrite is { } rewrite && Rewritten(rewrite, route.Match, request) is { Length: > 0 } changed)
        {
            yield return ("rewrite", changed);
        }

        yield return ("timeout", forward.TimeoutMs == 0 ? "none" : $"504 after {PolicyFacts.Time(forward.TimeoutMs)}, flag UT");
        yield return ("retries", forward.Retry is { } retry ? Retry(retry) : "none");
    }

    private static string Fault(FaultPlan fault)
    {
        var parts = new List<string>();
        if (fault.DelayMs > 0)
        {
            parts.Add($"{Percent(fault.DelayPpm)} of the requests wait {PolicyFacts.Time(fault.DelayMs)}, flag DI");
        }

        if (fault.AbortStatus != 0 || fault.AbortGrpcStatus != 0)
        {
            var status = fault.AbortStatus != 0
                ? fault.AbortStatus.ToString(CultureInfo.InvariantCulture)
                : string.Create(CultureInfo.InvariantCulture, $"gRPC status {fault.AbortGrpcStatus}");
            parts.Add($"{Percent(fault.AbortPpm)} are answered {status}, flag FI");
        }

        return string.Join(", ", parts);
    }

    private static string Headers(HeaderOperationsPlan headers) => string.Join(", ", headers.Remove.Select(name => $"without {name}")
        .Concat(headers.Set.Select(h => $"{h.Name}: {h.Value}")).Concat(headers.Add.Select(h => $"and {h.Name}: {h.Value}")));

    private static string Redirect(RedirectPlan redirect) => string.Create(
        CultureInfo.InvariantCulture,
        $"{redirect.Code}, Location with {string.Join(", ", new[] { redirect.Scheme, redirect.Authority, redirect.Port == 0 ? null : $"port {redirect.Port}", redirect.Path, redirect.PrefixRewrite }.OfType<string>())}");

    private static string Direct(DirectResponsePlan direct) => string.Create(CultureInfo.InvariantCulture, $"{direct.Status}, {direct.Body.Length} characters, by the proxy itself");

    private static string Retry(RetryPlan retry)
    {
        var each = retry.PerTryTimeoutMs == 0 ? "" : $", each at most {PolicyFacts.Time(retry.PerTryTimeoutMs)}";
        var codes = retry.StatusCodes.Count == 0 ? "" : $" {string.Join(",", retry.StatusCodes.Select(c => c.ToString(CultureInfo.InvariantCulture)))}";
        return string.Create(CultureInfo.InvariantCulture, $"up to {retry.Attempts} more{each}, on {string.Join(",", retry.RetryOn)}{codes}");
    }

    /// <summary>As <c>PathRewrite</c> of the proxy does it.</summary>
    private static string Rewritten(RewritePlan rewrite, RouteMatchPlan match, RequestDescription request)
    {
        var question = request.Path.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = question < 0 ? (request.Path, "") : (request.Path[..question], request.Path[question..]);
        var parts = new List<string>();
        if (rewrite.RegexPattern is { } pattern && Re2.TryCompile(pattern, wholeText: false, out var regex, out _))
        {
            parts.Add($"the path becomes {regex.Replace(path, Groups(rewrite.RegexSubstitution ?? ""))}{query}");
        }
        else if (rewrite.Path is { } replacement)
        {
            var rest = match.Path.Kind == TextMatchKind.Prefix && path.Length > match.Path.Value.Length ? path[match.Path.Value.Length..] : "";
            rest = replacement.EndsWith('/') && rest.StartsWith('/') ? rest[1..] : rest;
            parts.Add($"the path becomes {replacement}{rest}{query}");
        }

        if (rewrite.Authority is { } authority)
        {
            parts.Add($"the host becomes {authority}");
        }

        return string.Join(", ", parts);
    }

    private static string Groups(string substitution) => Regex.Replace(
        substitution.Replace("$", "$$", StringComparison.Ordinal), @"\\(\d|\\)", m => m.Groups[1].Value == "\\" ? "\\" : "${" + m.Groups[1].Value + "}");

    private static string Percent(int ppm) => string.Create(CultureInfo.InvariantCulture, $"{ppm / PpmPerPercent:0.####} %");
}
