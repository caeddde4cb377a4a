// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Nodes;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Security;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Http;

/// <summary>From a path to the verb that answers it.</summary>
internal sealed partial class Router(
    ApiServices services, ApiVerbs verbs, DiscoveryDocuments discovery, Gate gate, ILogger logger)
{
    private readonly InFlight _inFlight = new();

    public async Task HandleAsync(HttpContext context)
    {
        var client = context.RequestAborted;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(client);
        try
        {
            if (InFlight.IsLong(context))
            {
                await DispatchAsync(context);
                return;
            }

            limit.CancelAfter(TimeSpan.FromSeconds(ApiLimits.RequestSeconds));
            context.RequestAborted = limit.Token;
            await _inFlight.RunAsync(context, DispatchAsync);
        }
        catch (ApiException refusal)
        {
            await RefuseAsync(context, refusal);
        }
        catch (OperationCanceledException) when (client.IsCancellationRequested)
        {
            // Nobody is left to answer.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            context.RequestAborted = client;
            await RefuseAsync(context, ApiException.Timeout(
                $"Timeout: request did not complete within the allotted timeout of {ApiLimits.RequestSeconds} s"));
        }
        catch (Exception problem) when (problem is BadHttpRequestException or IOException or SocketException)
        {
            await RefuseAsync(context, ApiException.BadRequest(problem.Message));
        }
#pragma warning disable CA1031 // One bad request must not take the server down; it is logged and answered as an internal error.
        catch (Exception problem)
        {
            LogFailed(logger, context.Request.Method, context.Request.Path, problem);
            await RefuseAsync(context, new ApiException(500, "InternalError", "Internal error occurred: " + problem.Message));
        }
#pragma warning restore CA1031
    }

    private static async Task RefuseAsync(HttpContext context, ApiException refusal)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        if (refusal.RetryAfterSeconds > 0)
        {
            context.Response.Headers.RetryAfter = refusal.RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        await Answer.JsonAsync(context, refusal.Code, refusal.ToStatus());
    }

    private async Task DispatchAsync(HttpContext context)
    {
        var parts = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is ["weft", "link", var target])
        {
            await NodeLinks.AnswerAsync(context, target, services, () => gate.Identify(context));
            return;
        }

        var user = gate.Identify(context);
        if (Parse(context, parts, user) is { } request)
        {
            gate.Authorization.Check(request);
            await verbs.RunAsync(request);
            return;
        }

        gate.Authorization.CheckPath(context, user);
        if (!await discovery.TryAnswerAsync(context, parts))
        {
            // Plain text, as on a real server: clients word it themselves and add what they asked for.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync("404 page not found\n", context.RequestAborted);
        }
    }

    private ApiRequest? Parse(HttpContext context, string[] parts, UserIdentity user)
    {
        if (parts is not (["api", _, ..] or ["apis", _, _, ..]))
        {
            return null;
        }

        var group = parts[0] is "api" ? "" : parts[1];
        var version = parts[0] is "api" ? parts[1] : parts[2];
        var rest = parts.AsSpan(parts[0] is "api" ? 2 : 3);
        var ns = "";
        var watches = rest.Length > 1 && rest[0] is "watch";
        rest = watches ? rest[1..] : rest;
        if (rest.Length >= 3 && rest[0] is "namespaces" && rest[2] is not ("status" or "finalize"))
        {
            ns = rest[1];
            rest = rest[2..];
        }

        if (rest.Length is 0 or > 4 || Definition(group, version, rest[0]) is not { } resource)
        {
            return null;
        }

        if (!resource.Namespaced && ns.Length > 0)
        {
            return null;
        }

        return new ApiRequest(context, resource, version)
        {
            Namespace = ns,
            Name = rest.Length > 1 ? Uri.UnescapeDataString(rest[1]) : null,
            Subresource = rest.Length > 2 ? string.Join('/', rest[2..].ToArray()) : null,
            User = user,
            PathWatches = watches,
        };
    }

    private ResourceDefinition? Definition(string group, string version, string plural) =>
        services.Catalog.Find(group, version, plural) ?? Reviews.Find(group, version, plural) ?? Metrics.Find(group, version, plural);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, string method, string path, Exception problem);
}
