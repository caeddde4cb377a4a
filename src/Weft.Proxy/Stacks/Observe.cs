// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Text;
using System.Text;
using Weft.Model.Plan;
using Weft.Protocols.Http1;
using Weft.Proxy.Listeners;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Stacks;

/// <summary>Counts and logs every exchange and tunnel once, at its end.</summary>
internal static class Observe
{
    internal static void Record(Exchange exchange)
    {
        var loop = exchange.Loop;
        var record = new RequestRecord
        {
            Direction = exchange.Service.Direction,
            Duration = loop.Events.Clock.GetElapsedTime(exchange.StartedAt),
            Status = exchange.Failure.Kind == FailureKind.ClientGone ? 0 : exchange.Status,
            Flags = FlagsOf(exchange),
            Details = DetailsOf(exchange),
            TransportFailure = exchange.Failure.TransportText,
            RequestBytes = exchange.RequestBodyBytes,
            ResponseBytes = exchange.ResponseBodyBytes,
            RequestHeadBytes = exchange.Request.Length,
            ResponseHeadBytes = exchange.Response.Length,
            UpstreamServiceMs = exchange.UpstreamServiceMs,
            GrpcStatus = exchange.GrpcStatus,
            Connection = ConnectionOf(exchange),
            Route = exchange.Route?.Plan.Name ?? "",
        };
        FillTexts(ref record, exchange);
        loop.Metrics.Count(record);
        if (loop.Log is { } log)
        {
            record.StartUtc = loop.Events.Clock.GetUtcNow().UtcDateTime - record.Duration;
            log.Write(record);
        }
    }

    internal static bool IsGrpc(Exchange exchange) => IsGrpc(exchange.Request, exchange.RequestBytes);

    internal static bool IsGrpc(MessageHead head, ReadOnlySpan<byte> bytes)
    {
        var name = "application/grpc"u8;
        return head.TryGet(KnownHeader.ContentType, bytes, out var type) && type.Length >= name.Length &&
            Ascii.EqualsIgnoreCase(type[..name.Length], name) && (type.Length == name.Length || type[name.Length] is (byte)'+' or (byte)';');
    }

    /// <summary>The number in a grpc-status field of the response's head; -1 without one.</summary>
    internal static int GrpcStatusOf(ResponseHead response, ReadOnlySpan<byte> bytes) =>
        response.TryGet(KnownHeader.GrpcStatus, bytes, out var text) && Utf8Parser.TryParse(text, out int status, out _) ? status : -1;

    /// <summary>The same of a trailer section.</summary>
    internal static int GrpcStatusOf(ReadOnlySpan<byte> trailers)
    {
        var lines = new TrailerLines(trailers);
        while (lines.MoveNext())
        {
            if (KnownHeaders.Classify(lines.Name) == KnownHeader.GrpcStatus)
            {
                return Utf8Parser.TryParse(lines.Value, out int status, out _) ? status : -1;
            }
        }

        return -1;
    }

    /// <summary>The HTTP status that says the same (google.rpc.Code's mapping).</summary>
    internal static int HttpStatusOf(int grpcStatus) => grpcStatus switch
    {
        0 => 200,
        1 => 499,
        3 or 9 or 11 => 400,
        4 => 504,
        5 => 404,
        6 or 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    };

    internal static void TunnelOpened(TunnelStack tunnel)
    {
        var series = tunnel.Loop.Metrics.TcpFor(tunnel.Accepted.Listener.Plan.Direction, ConnectionOf(tunnel), "-");
        series?.CountOpened();
        tunnel.Series = series;
    }

    internal static void TunnelClosed(TunnelStack tunnel)
    {
        var flags = tunnel.Failure.IsNone ? "-" : tunnel.Upstream.IsExhausted ? $"{tunnel.Failure.Flag},URX" : tunnel.Failure.Flag;
        var connection = ConnectionOf(tunnel);
        if (flags != "-")
        {
            tunnel.Series = tunnel.Loop.Metrics.TcpFor(tunnel.Accepted.Listener.Plan.Direction, connection, flags);
        }

        tunnel.ReportBytes();
        tunnel.Series?.CountClosed();
        if (tunnel.Loop.Log is { } log)
        {
            var duration = tunnel.Loop.Events.Clock.GetElapsedTime(tunnel.StartedAt);
            log.Write(new TunnelRecord
            {
                StartUtc = tunnel.Loop.Events.Clock.GetUtcNow().UtcDateTime - duration,
                Duration = duration,
                Direction = tunnel.Accepted.Listener.Plan.Direction,
                Flags = flags,
                Details = tunnel.Failure.IsNone ? "" : tunnel.Failure.Details,
                ConnectionTermination = tunnel.Failure.Kind == FailureKind.Denied ? tunnel.Failure.Details : "",
                TransportFailure = tunnel.Failure.TransportText,
                ReceivedBytes = tunnel.Received,
                SentBytes = tunnel.Sent,
                Connection = connection,
            });
        }
    }

    /// <summary>A connection that no stack got.</summary>
    internal static void Refused(ProxyLoop loop, AcceptedConnection connection, Failure failure)
    {
        loop.Log?.Write(new TunnelRecord
        {
            StartUtc = loop.Events.Clock.GetUtcNow().UtcDateTime,
            Direction = connection.Listener.Plan.Direction,
            Flags = failure.Flag,
            Details = failure.Kind == FailureKind.NoRoute ? "filter_chain_not_found" : failure.Details,
            ConnectionTermination = failure.Kind == FailureKind.Denied ? failure.Details : "",
            TransportFailure = failure.TransportText,
            Connection = new ConnectionFactsRecord
            {
                ServerName = connection.Facts.ServerName,
                DownstreamLocal = connection.Facts.Destination,
                DownstreamRemote = connection.PeerAddress,
            },
        });
    }

    private static void FillTexts(ref RequestRecord record, Exchange exchange)
    {
        var bytes = exchange.RequestBytes;
        if (bytes.IsEmpty)
        {
            // The head was refused: its positions are not to be trusted.
            return;
        }

        var request = exchange.Request;
        record.Method = request.MethodText.Of(bytes);
        record.Path = request.Target.Of(bytes);
        record.Authority = request.Authority.Of(bytes);
        record.MinorVersion = request.MinorVersion;
        record.IsHttp2 = exchange.Downstream.IsHttp2;
        record.IsGrpc = exchange.IsGrpc;
        record.RequestMessages = exchange.RequestMessages;
        record.ResponseMessages = exchange.ResponseMessages;
        record.ForwardedFor = Text(request, KnownHeader.XForwardedFor, bytes);
        record.UserAgent = Text(request, KnownHeader.UserAgent, bytes);
        record.RequestId = request.Has(KnownHeader.XRequestId)
            ? Text(request, KnownHeader.XRequestId, bytes)
            : exchange.MadeRequestId;
    }

    private static ReadOnlySpan<byte> Text(RequestHead request, KnownHeader header, ReadOnlySpan<byte> bytes) =>
        request.TryGet(header, bytes, out var value) ? value : default;

    private static ConnectionFactsRecord ConnectionOf(Exchange exchange)
    {
        var inbound = exchange.Service.Direction == TrafficDirection.Inbound;
        var client = exchange.Client;
        var principal = inbound ? client.PeerPrincipal : exchange.UpstreamPrincipal;
        return new ConnectionFactsRecord
        {
            Peer = inbound ? client.PeerNames : exchange.Endpoint?.Plan.Workload,
            PeerPrincipal = principal,
            OwnPrincipal = principal.Length > 0 ? exchange.Loop.Contexts.OwnPrincipal : "",
            IsMutualTls = principal.Length > 0,
            Service = exchange.Cluster?.Plan.Service,
            Cluster = exchange.Target?.ClusterName ?? "",
            ServerName = client.ServerName,
            UpstreamHost = exchange.UpstreamAddress,
            UpstreamLocal = exchange.UpstreamLocalAddress,
            DownstreamLocal = client.Destination,
            DownstreamRemote = client.PeerAddress,
        };
    }

    private static ConnectionFactsRecord ConnectionOf(TunnelStack tunnel)
    {
        var inbound = tunnel.Accepted.Listener.Plan.Direction == TrafficDirection.Inbound;
        var principal = (inbound ? tunnel.Peer : tunnel.UpstreamPeer)?.Uri ?? "";
        return new ConnectionFactsRecord
        {
            Peer = inbound ? null : tunnel.Upstream.Endpoint?.Plan.Workload,
            PeerPrincipal = principal,
            OwnPrincipal = principal.Length > 0 ? tunnel.Loop.Contexts.OwnPrincipal : "",
            IsMutualTls = principal.Length > 0,
            Service = tunnel.Upstream.Cluster?.Plan.Service,
            Cluster = tunnel.Upstream.Cluster?.Plan.Name ?? "",
            ServerName = tunnel.Accepted.Facts.ServerName,
            UpstreamHost = tunnel.Upstream.Address,
            UpstreamLocal = tunnel.Upstream.LocalAddress,
            DownstreamLocal = tunnel.Accepted.Facts.Destination,
            DownstreamRemote = tunnel.Accepted.PeerAddress,
        };
    }

    private static string FlagsOf(Exchange exchange)
    {
        var flag = exchange.Failure.Flag;
        if (exchange.DelayInjected)
        {
            flag = flag == "-" ? "DI" : $"{flag},DI";
        }

        if (exchange.RetryOverflowed)
        {
            flag = flag == "-" ? "UO" : $"{flag},UO";
        }

        return !exchange.RetriesExhausted ? flag : flag == "-" ? "URX" : $"{flag},URX";
    }

    private static string DetailsOf(Exchange exchange)
    {
        if (!exchange.Failure.IsNone)
        {
            return exchange.Failure.Details;
        }

        return exchange.Route?.Plan.Forward is null ? "direct_response" : "via_upstream";
    }
}
