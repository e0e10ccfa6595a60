import CSystem
import Glibc

/// A rank's share of its host, told to libraries and programs by variables before the script is loaded.
enum HostShare {
    /// The variables by which libraries learn how many threads to use.
    private static let threadVariables = [
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    ]
    /// The variables by which libraries learn which devices they may use, for NVIDIA, AMD and Intel.
    private static let deviceVariables = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"]
    /// With this variable, AMD's runtime hides devices before the others are numbered.
    private static let filterVariable = "ROCR_VISIBLE_DEVICES"

    /// Sets the number of threads of each of several ranks on a host to its share of the processors.
    ///
    /// Does nothing where the user has set a number, or where the rank is alone on its host.
    static func limitThreads(_ place: HostPlace?, isOurLauncher: Bool) {
        guard let place, place.size > 1, threadVariables.allSatisfy({ getenv($0) == nil }) else { return }
        var processors = [Int32](repeating: 0, count: 1024)
        let allowed = max(1, Int(dlp_allowed_cpus(&processors, Int32(processors.count))))
        // Launchers of MPI and Slurm bind each rank to its own processors.
        let isBound = !isOurLauncher && allowed <= Int(dlp_processors()) / place.size
        let threads = isBound ? allowed : max(1, allowed / place.size)
        for variable in threadVariables { setenv(variable, "\(threads)", 1) }
    }

    /// Makes one device visible to this rank; the ranks of a host take the devices in turn.
    ///
    /// - Returns: an error message; nil where all is well.
    static func chooseDevice(_ wish: DeviceWish, _ place: HostPlace?) -> String? {
        guard let place else {
            return "--gpus needs to know which ranks share a host, which is not said of ranks that were started by hand"
        }
        for variable in deviceVariables {
            let devices = wish.devices(given: getenv(variable).map { String(cString: $0) }, found: found())
            if !devices.isEmpty { setenv(variable, devices[place.rank % devices.count], 1) }
        }
        return nil
    }

    /// Returns how many devices the system shows.
    private static func found() -> Int {
        if let filter = getenv(filterVariable) { return String(cString: filter).split(separator: ",").count }
        let nvidia = names(in: "/dev").count { $0.hasPrefix("nvidia") && Int($0.dropFirst(6)) != nil }
        if nvidia > 0 { return nvidia }
        let nodes = "/sys/class/kfd/kfd/topology/nodes"
        return names(in: nodes).count { node in
            guard let file = fopen("\(nodes)/\(node)/simd_count", "re") else { return false }
            defer { fclose(file) }
            // Processors are nodes too, but have no such units.
            let digit = fgetc(file)
            return digit > 48 && digit <= 57
        }
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
