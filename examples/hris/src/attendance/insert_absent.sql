INSERT INTO attendances (employee_id, org_unit_id, attendance_date, status)
SELECT employee_id, org_unit_id, $1, 'absent'
FROM unnest($2::int[], $3::int[]) AS employee (employee_id, org_unit_id)
-- Two instances that write the same rows meet in the same order, and never in a deadlock.
ORDER BY employee_id
ON CONFLICT (employee_id, attendance_date) DO NOTHING
