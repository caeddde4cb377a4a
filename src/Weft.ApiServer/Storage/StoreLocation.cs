// SPDX-License-Identifier: Apache-2.0

using System.Net;

namespace Weft.ApiServer.Storage;

/// <summary>Where a shared store is, as <c>--store</c> names it: <c>etcds://USER@HOST:PORT,HOST:PORT/PREFIX?ca=FILE&amp;cert=FILE&amp;key=FILE&amp;password-file=FILE</c>.</summary>
public sealed record StoreLocation
{
    private const int DefaultPort = 2379;
    private const string Form = "write etcd://HOST:PORT or etcds://HOST:PORT?ca=FILE";

    private static readonly string[] _files = ["ca", "cert", "key", "password-file"];

    private StoreLocation(bool secure, IReadOnlyList<DnsEndPoint> endpoints)
    {
        Secure = secure;
        Endpoints = endpoints;
    }

    /// <summary>TLS is spoken to every endpoint.</summary>
    public bool Secure { get; }

    /// <summary>The members of the etcd cluster; they are tried in this order.</summary>
    public IReadOnlyList<DnsEndPoint> Endpoints { get; }

    /// <summary>Every key starts with it; begins and ends with a slash.</summary>
    public string Prefix { get; private init; } = "/weft/";

    public string? User { get; private init; }

    public string? PasswordFile { get; private init; }

    /// <summary>Authorities that may have signed the server's certificate; the machine's own when null.</summary>
    public string? CaFile { get; private init; }

    public string? CertificateFile { get; private init; }

    public string? KeyFile { get; private init; }

    /// <summary>Reads the text; relative files are taken from the current folder. Throws <see cref="FormatException"/> with the cure.</summary>
    public static StoreLocation Parse(string text)
    {
        var (secure, rest) = text switch
        {
            _ when text.StartsWith("etcd://", StringComparison.Ordinal) => (false, text["etcd://".Length..]),
            _ when text.StartsWith("etcds://", StringComparison.Ordinal) => (true, text["etcds://".Length..]),
            _ => throw new FormatException($"'{text}' is no store: {Form}"),
        };
        var options = Options(rest, text);
        rest = rest.Split('?')[0];
        var user = rest.Contains('@', StringComparison.Ordinal) ? rest[..rest.IndexOf('@', StringComparison.Ordinal)] : null;
        rest = user is null ? rest : rest[(user.Length + 1)..];
        if (user?.Contains(':', StringComparison.Ordinal) ?? false)
        {
            throw new FormatException("a password in --store would be seen by everybody on this machine: write it into a file and add ?password-file=FILE");
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : rest[slash..].Trim('/');
        var hosts = slash < 0 ? rest : rest[..slash];
        var location = new StoreLocation(secure, [.. hosts.Split(',').Select(host => Endpoint(host, text))])
        {
            Prefix = path.Length == 0 ? "/weft/" : $"/{path}/",
            User = string.IsNullOrEmpty(user) ? null : Uri.UnescapeDataString(user),
            PasswordFile = options.GetValueOrDefault("password-file"),
            CaFile = options.GetValueOrDefault("ca"),
            CertificateFile = options.GetValueOrDefault("cert"),
            KeyFile = options.GetValueOrDefault("key"),
        };
        location.Check(options.ContainsKey("insecure"));
        return location;
    }

    /// <summary>Asks the store for its state; throws <see cref="StoreException"/> with the reason when it cannot be used.</summary>
    public void Check()
    {
        try
        {
            using var client = new Etcd.EtcdClient(this, []);
            client.Call("/v3/maintenance/status", []);
        }
        catch (Etcd.EtcdException problem)
        {
            throw new StoreException($"the store {this} cannot be used: {problem.Message}. Start etcd, or name another place with --store.", problem);
        }
    }

    /// <summary>The same place in the form that <see cref="Parse"/> reads, with absolute files.</summary>
    public string ToText()
    {
        var options = new[] { ("ca", CaFile), ("cert", CertificateFile), ("key", KeyFile), ("password-file", PasswordFile) }
            .Where(option => option.Item2 is not null).Select(option => $"{option.Item1}={Uri.EscapeDataString(option.Item2!)}");
        if (!Secure)
        {
            options = options.Append("insecure=true");
        }

        return $"{(Secure ? "etcds" : "etcd")}://{(User is null ? "" : Uri.EscapeDataString(User) + "@")}{Hosts}{Prefix}?{string.Join('&', options)}";
    }

    public override string ToString() => $"{(Secure ? "etcds" : "etcd")}://{Hosts}{Prefix}";

    private string Hosts => string.Join(',', Endpoints.Select(endpoint =>
        endpoint.Host.Contains(':', StringComparison.Ordinal) ? $"[{endpoint.Host}]:{endpoint.Port}" : $"{endpoint.Host}:{endpoint.Port}"));

    private void Check(bool insecure)
    {
        if (!Secure && !insecure && Endpoints.FirstOrDefault(endpoint => !IsLoopback(endpoint.Host)) is { } far)
        {
            throw new FormatException(
                $"etcd:// sends every Secret to {far.Host} as plain text: use etcds://, or add ?insecure=true if the way there is private");
        }

        if (!Secure && (CaFile ?? CertificateFile ?? KeyFile) is not null)
        {
            throw new FormatException("ca, cert and key belong to etcds://; etcd:// speaks no TLS");
        }

        if (CertificateFile is null != KeyFile is null)
        {
            throw new FormatException("cert and key go together: the one is of no use without the other");
        }

        if (User is null != PasswordFile is null)
        {
            throw new FormatException("a user and password-file go together: etcds://USER@HOST:PORT?password-file=FILE");
        }

        foreach (var file in new[] { CaFile, CertificateFile, KeyFile, PasswordFile })
        {
            if (file is not null && !File.Exists(file))
            {
                throw new FormatException($"there is no file '{file}', which --store names");
            }
        }
    }

    private static bool IsLoopback(string host) =>
        host is "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static Dictionary<string, string> Options(string rest, string text)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        var mark = rest.IndexOf('?', StringComparison.Ordinal);
        foreach (var pair in mark < 0 ? [] : rest[(mark + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            var value = parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "";
            if (parts[0] is "insecure" && value is "true")
            {
                result["insecure"] = value;
            }
            else if (_files.Contains(parts[0], StringComparer.Ordinal) && value.Length > 0)
            {
                result[parts[0]] = Path.GetFullPath(value);
            }
            else
            {
                throw new FormatException($"'{pair}' in '{text}' is no option of a store: there are ca, cert, key, password-file (each =FILE) and insecure=true");
            }
        }

        return result;
    }

    private static DnsEndPoint Endpoint(string host, string text)
    {
        if (!Uri.TryCreate("tcp://" + host, UriKind.Absolute, out var parsed) || host.Length == 0 || parsed.Host.Length == 0)
        {
            throw new FormatException($"'{host}' in '{text}' is no host and port: {Form}");
        }

        return new DnsEndPoint(parsed.Host.Trim('[', ']'), parsed.Port < 0 ? DefaultPort : parsed.Port);
    }
}
