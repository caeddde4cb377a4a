// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Processes;

/// <summary>Which user ids this user namespace has.</summary>
internal static class UserMap
{
    /// <summary>False in the namespace of an ordinary user, where root is the only one.</summary>
    public static bool HasManyUsers()
    {
        var count = 0L;
        foreach (var line in File.ReadLines("/proc/self/uid_map"))
        {
            var numbers = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            count += numbers.Length == 3 ? long.Parse(numbers[2], CultureInfo.InvariantCulture) : 0;
        }

        return count > 1;
    }
}
