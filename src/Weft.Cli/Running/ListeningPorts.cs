// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Weft.Cli.Running;

/// <summary>Finds out, from the kernel's tables, where the program of a pod really listens.</summary>
internal static class ListeningPorts
{
    private const string ListenState = "0A";

    /// <summary>The pod's own listeners that belong to the sidecar.</summary>
    private static readonly int[] _sidecars = [15000, 15001, 15006, 15008, 15020, 15021, 15090];

    /// <summary>One sentence with the cure if the program listens, but not where the others will call it; null otherwise.</summary>
    public static string? Explain(int pid, int wanted)
    {
        var listening = new List<IPEndPoint>();
        foreach (var table in (string[])["tcp", "tcp6"])
        {
            var file = $"/proc/{pid}/net/{table}";
            try
            {
                listening.AddRange(Parse(File.ReadLines(file)));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }

        return Explain(listening, wanted);
    }

    internal static string? Explain(IEnumerable<IPEndPoint> listening, int wanted)
    {
        var own = listening.Where(place => !_sidecars.Contains(place.Port)).ToList();
        var right = own.Where(place => place.Port == wanted).ToList();
        if (right.Count > 0)
        {
            return right.TrueForAll(place => IPAddress.IsLoopback(place.Address))
                ? $"It listens on {right[0]}, where only its own pod reaches it: let it listen on 0.0.0.0."
                : null;
        }

        return own.Count == 0
            ? $"It does not listen on any port. It is told PORT={wanted}; a program that only calls others needs --port none."
            : $"It listens on port {string.Join(", ", own.Select(place => place.Port).Distinct().Order())}, not on {wanted}: weft run --port {own[0].Port}";
    }

    internal static IEnumerable<IPEndPoint> Parse(IEnumerable<string> lines)
    {
        foreach (var line in lines.Skip(1))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 3 && words[3] == ListenState && words[1].Split(':') is [var address, var port])
            {
                yield return new IPEndPoint(Address(address), int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            }
        }
    }

    // The kernel prints each 32-bit group in the machine's byte order.
    private static IPAddress Address(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        for (var i = 0; i < bytes.Length; i += 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i)));
        }

        return new IPAddress(bytes);
    }
}
