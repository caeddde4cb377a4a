// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Grpc;
using Weft.Protocols.Http1;
using Weft.Proxy.Io;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Stacks;

/// <summary>Writes heads: what is kept of the received one, in runs, and what the proxy adds.</summary>
internal static class HeadWriter
{
    /// <summary>
    /// The request as it goes upstream, without the lines that differ between tries or frame the body, and without the empty line.
    /// </summary>
    internal static void WriteRequest(ref NativeBuffer head, Exchange exchange)
    {
        var request = exchange.Request;
        var bytes = exchange.RequestBytes;
        var authority = exchange.NewAuthority;
        head.Append(request.MethodText.Of(bytes));
        head.Append(" "u8);
        AppendTarget(ref head, exchange, bytes);
        head.Append(" HTTP/1.1\r\n"u8);
        head.Append("host: "u8);
        head.Append(authority.IsEmpty ? request.Authority.Of(bytes) : authority);
        head.Append("\r\n"u8);
        AppendKeptRequestFields(ref head, exchange, bytes);
        if (!authority.IsEmpty)
        {
            AppendLine(ref head, "x-envoy-original-host"u8, request.Authority.Of(bytes));
        }

        if (!exchange.NewTarget.IsEmpty)
        {
            AppendLine(ref head, "x-envoy-original-path"u8, request.Target.Of(bytes));
        }

        if (!request.Has(KnownHeader.XForwardedProto))
        {
            var isTls = exchange.Service.Plan.Trust.IsEdge && exchange.Client.IsTls;
            head.Append(isTls ? "x-forwarded-proto: https\r\n"u8 : "x-forwarded-proto: http\r\n"u8);
        }

        if (!request.Has(KnownHeader.XRequestId))
        {
            AppendLine(ref head, "x-request-id"u8, exchange.MadeRequestId);
        }

        if (request.IsUpgrade && request.TryGet(KnownHeader.Upgrade, bytes, out var protocol))
        {
            AppendLine(ref head, "upgrade"u8, protocol);
        }

        ForwardedLines.Append(ref head, exchange, bytes);
        exchange.Target?.RequestEdits?.Append(ref head, exchange);
        exchange.Route?.Actions.RequestEdits?.Append(ref head, exchange);
        exchange.AppendAddedRequestLines(ref head);
    }

    /// <summary>The response as it goes downstream, without the lines that frame the body and without the empty line.</summary>
    internal static void WriteResponse(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var response = exchange.Response;
        head.Append("HTTP/1.1 "u8);
        AppendNumber(ref head, response.Status);
        head.Append(" "u8);
        head.Append(response.Reason.Of(bytes));
        head.Append("\r\n"u8);
        AppendKeptResponseFields(ref head, exchange, bytes);
        if (!response.Has(KnownHeader.Date))
        {
            AppendLine(ref head, "date"u8, exchange.Loop.Date.Text);
        }

        AppendServer(ref head, exchange);
        if (!response.IsInterim)
        {
            head.Append("x-envoy-upstream-service-time: "u8);
            AppendNumber(ref head, exchange.UpstreamServiceMs);
            head.Append("\r\n"u8);
        }

        if (response.Status == 101 && response.TryGet(KnownHeader.Upgrade, bytes, out var protocol))
        {
            AppendLine(ref head, "upgrade"u8, protocol);
        }

        if (!exchange.Cookie.IsNone && !response.IsInterim)
        {
            AppendCookie(ref head, exchange.Cookie);
        }

        if (!response.IsInterim)
        {
            exchange.AppendAddedLines(ref head);
            exchange.AppendCompression(ref head);
        }

        exchange.Target?.ResponseEdits?.Append(ref head, exchange);
        exchange.Route?.Actions.ResponseEdits?.Append(ref head, exchange);
        exchange.Cors?.Append(ref head, exchange.Origin);
    }

    internal static void AppendLine(ref NativeBuffer head, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        head.Append(name);
        head.Append(": "u8);
        head.Append(value);
        head.Append("\r\n"u8);
    }

    internal static void AppendNumber(ref NativeBuffer head, long number)
    {
        var room = head.Reserve(20);
        Utf8Formatter.TryFormat(number, room, out var length);
        head.Commit(length);
    }

    internal static void AppendHexNumber(ref NativeBuffer head, int number)
    {
        var room = head.Reserve(8);
        Utf8Formatter.TryFormat(number, room, out var length, 'x');
        head.Commit(length);
    }

    /// <summary>The status line with the usual reason phrase.</summary>
    internal static void AppendStatusLine(ref NativeBuffer head, int status)
    {
        const int LongestLine = 64;
        var writer = new Http1Writer(head.Reserve(LongestLine));
        writer.StatusLine(status);
        head.Commit(writer.Length);
    }

    internal static void AppendServer(ref NativeBuffer head, Exchange exchange) =>
        head.Append(exchange.Service.Direction == TrafficDirection.Inbound ? "server: istio-envoy\r\n"u8 : "server: envoy\r\n"u8);

    private static void AppendCookie(ref NativeBuffer head, in MadeCookie cookie)
    {
        head.Append("set-cookie: "u8);
        head.Append(cookie.Name);
        head.Append("=\""u8);
        cookie.FormatValue(head.Reserve(MadeCookie.ValueLength));
        head.Commit(MadeCookie.ValueLength);
        head.Append("\""u8);
        if (cookie.MaxAge > 0)
        {
            head.Append("; Max-Age="u8);
            AppendNumber(ref head, cookie.MaxAge);
        }

        if (!cookie.Path.IsEmpty)
        {
            head.Append("; Path="u8);
            head.Append(cookie.Path);
        }

        head.Append(cookie.Attributes);
        head.Append("; HttpOnly\r\n"u8);
    }

    private static void AppendTarget(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var request = exchange.Request;
        if (!exchange.NewTarget.IsEmpty)
        {
            head.Append(exchange.NewTarget);
        }
        else if (request.Form == TargetForm.Absolute)
        {
            // An origin server gets origin form; the authority went into Host.
            head.Append(request.PathOf(bytes));
            if (request.HasQuery)
            {
                head.Append("?"u8);
                head.Append(request.Query.Of(bytes));
            }
        }
        else
        {
            head.Append(request.Target.Of(bytes));
        }
    }

    private static void AppendKeptRequestFields(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var fields = exchange.Request.Fields;
        var routeEdits = exchange.Route?.Actions.RequestEdits;
        var targetEdits = exchange.Target?.RequestEdits;
        var run = -1;
        for (var i = 0; i < fields.Length; i++)
        {
            ref readonly var field = ref fields[i];
            var drop = field.IsHopByHop || field.Known switch
            {
                KnownHeader.Host or KnownHeader.XEnvoyPeerMetadata or KnownHeader.XEnvoyPeerMetadataId or
                    KnownHeader.XEnvoyAttemptCount => true,

                // For this proxy and no other; a caller's own were taken off by its proxy.
                KnownHeader.XEnvoyMaxRetries or KnownHeader.XEnvoyRetryOn or KnownHeader.XEnvoyRetryGrpcOn or
                    KnownHeader.XEnvoyRetriableHeaderNames or KnownHeader.XEnvoyRetriableStatusCodes or KnownHeader.XEnvoyHedgeOnPerTryTimeout or
                    KnownHeader.XEnvoyUpstreamRqTimeoutMs or KnownHeader.XEnvoyUpstreamRqPerTryTimeoutMs => true,
                KnownHeader.XForwardedClientCert or KnownHeader.XForwardedFor => ForwardedLines.Replaces(field.Known, exchange),
                _ => false,
            };
            drop = drop || routeEdits?.Drops(field.Name.Of(bytes)) == true || targetEdits?.Drops(field.Name.Of(bytes)) == true ||
                (exchange.Service.HidesAccepted && Ascii.EqualsIgnoreCase(field.Name.Of(bytes), "accept-encoding"u8));
            var replaced = !drop && exchange.WebForm != GrpcWebForm.None && field.Known is (KnownHeader.ContentType or KnownHeader.ContentLength);
            Keep(ref head, bytes, field.LineStart, drop || replaced, ref run);
            if (replaced && field.Known == KnownHeader.ContentType)
            {
                exchange.AppendCallType(ref head);
            }
        }

        Keep(ref head, bytes, exchange.Request.Length - 2, drop: true, ref run);
    }

    private static void AppendKeptResponseFields(ref NativeBuffer head, Exchange exchange, ReadOnlySpan<byte> bytes)
    {
        var fields = exchange.Response.Fields;
        var routeEdits = exchange.Route?.Actions.ResponseEdits;
        var targetEdits = exchange.Target?.ResponseEdits;
        var run = -1;

        // What can have no body must not announce one (RFC 9110 8.6): a client that believes it waits, or eats the next answer.
        var dropsLength = exchange.Response.Status is < 200 or 204;
        for (var i = 0; i < fields.Length; i++)
        {
            ref readonly var field = ref fields[i];
            var drop = field.IsHopByHop || (dropsLength && field.Known == KnownHeader.ContentLength) || field.Known is KnownHeader.Server or KnownHeader.XEnvoyUpstreamServiceTime or
                KnownHeader.XEnvoyPeerMetadata or KnownHeader.XEnvoyPeerMetadataId;
            drop = drop || routeEdits?.Drops(field.Name.Of(bytes)) == true || targetEdits?.Drops(field.Name.Of(bytes)) == true ||
                exchange.Cors?.Replaces(field.Name.Of(bytes)) == true || exchange.CompressionDrops(field, bytes);
            var replaced = !drop && exchange.BridgesAnswer && field.Known is (KnownHeader.ContentType or KnownHeader.ContentLength);
            Keep(ref head, bytes, field.LineStart, drop || replaced, ref run);
            if (replaced && field.Known == KnownHeader.ContentType)
            {
                head.Append("content-type: "u8);
                exchange.AppendAnswerType(ref head);
                head.Append("\r\n"u8);
            }
        }

        Keep(ref head, bytes, exchange.Response.Length - 2, drop: true, ref run);
    }

    /// <summary>Neighbouring lines that are kept are copied together.</summary>
    private static void Keep(ref NativeBuffer head, ReadOnlySpan<byte> bytes, int lineStart, bool drop, ref int run)
    {
        if (!drop)
        {
            run = run < 0 ? lineStart : run;
        }
        else if (run >= 0)
        {
            head.Append(bytes[run..lineStart]);
            run = -1;
        }
    }
}
